//! The guide: one page for each subject, from the tutorial to the format on disk.
//!
//! - To begin with: [`tutorial`], [`stores`], [`testing`], [`read_models`].
//! - To build more: [`evolving_events`], [`time`].
//! - To run it: [`environment`], [`operating`], [`runbooks`], [`mod@cli`].
//! - To rely on it: [`promises`], [`mod@format`], [`sharing_with_python`].

/// Defines the module of a page. A page links to another by its file, which a reader of the
/// repository can follow. The definitions in front of the page win over those at its end, so that
/// its documentation links to the module instead.
macro_rules! page {
    ($name:ident) => {
        #[doc = include_str!("guide/links.txt")]
        #[doc = include_str!(concat!("guide/", stringify!($name), ".md"))]
        pub mod $name {}
    };
}

page!(tutorial);
page!(stores);
page!(testing);
page!(read_models);
page!(evolving_events);
page!(time);
page!(environment);
page!(operating);
page!(runbooks);
page!(cli);
page!(promises);
page!(format);
page!(sharing_with_python);
