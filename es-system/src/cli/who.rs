//! The name under which a decision is recorded.

use clap::Args;

/// The arguments about the person or program that decides.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// The name under which it is recorded; if none is given, that of the user
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
}

impl Who {
    pub(super) fn name(&self) -> String {
        let given = self.who.clone();
        let user = || {
            let keys = ["USER", "LOGNAME", "USERNAME"].into_iter();
            keys.filter_map(|key| std::env::var(key).ok())
                .find(|name| !name.is_empty())
        };
        given
            .or_else(user)
            .unwrap_or_else(|| "an operator".to_owned())
    }
}
