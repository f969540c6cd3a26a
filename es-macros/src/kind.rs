//! The three kinds of application, each with an attribute.

/// The attribute that makes the application.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `#[application]`: it keeps events.
    Application,
    /// `#[process_application]`: it keeps events, and its policies follow other applications.
    ProcessApplication,
    /// `#[projection]`: its policies follow other applications, and change tables.
    Projection,
}

impl Kind {
    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::ProcessApplication => "process_application",
            Self::Projection => "projection",
        }
    }

    /// The attribute as it is written.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Application => "#[application]",
            Self::ProcessApplication => "#[process_application]",
            Self::Projection => "#[projection]",
        }
    }
}
