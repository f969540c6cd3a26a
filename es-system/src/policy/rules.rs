//! The rules of an application for events whose policy fails, and which of them applies.

use crate::application::Application;
use crate::error::{Error, Result};
use crate::policy::on_error::OnError;
use crate::policy::policy_set::{self, ALL, DeclaredPolicies};

/// The key of the rule that the environment sets.
const ON_ERROR: &str = "ON_ERROR";

/// The key of the maximum number of events that are set aside.
const FAILURES_MAX: &str = "FAILURES_MAX";

/// The rules that a program has for its policies.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeclaredRules {
    /// The topics of policies that have a rule of their own.
    pub(crate) own: Vec<(String, OnError)>,
    /// The rule of all other policies, if there is one.
    pub(crate) default: Option<OnError>,
}

/// The rules that apply to the policies of an application.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The topics of all policies, each with the rule of its policy.
    policies: Vec<(String, Option<OnError>)>,
    default: Option<OnError>,
    /// The rule that the environment sets for all policies.
    overriding: Option<OnError>,
    failures_max: u64,
}

impl Rules {
    /// Reads the rules of `application` from its policies and from its environment.
    pub(crate) fn of(
        application: &Application,
        policies: &DeclaredPolicies,
        declared: &DeclaredRules,
    ) -> Result<Self> {
        let env = application.env();
        let wrong = |error| Error::env(application.name(), error);
        let own = |topic: &str| {
            let mut own = declared.own.iter();
            own.find(|(of, _)| of == topic).map(|(_, rule)| *rule)
        };
        let topics = policies.declared.iter().map(|declared| &declared.topic);
        Ok(Self {
            policies: topics.map(|topic| (topic.clone(), own(topic))).collect(),
            default: declared.default,
            overriding: env.parse(ON_ERROR, OnError::parse).map_err(wrong)?,
            failures_max: env.number(FAILURES_MAX, 10_000).map_err(wrong)?,
        })
    }

    /// Returns the rule for the event `topic`: that of the environment, else that of its policy,
    /// else that of the application, else to stop. The event need not be decodable.
    pub(crate) fn rule(&self, topic: &str) -> OnError {
        let own = || self.policy(topic)?.1;
        let rule = self.overriding.or_else(own).or(self.default);
        rule.unwrap_or_default()
    }

    /// Returns the rule for the event `topic`, which is newer than this program. `None` is to wait
    /// for a newer program, which is better than any rule that was not given for just this.
    ///
    /// So a rule applies only if the policy that follows the event, or all events of its aggregate,
    /// has one. Then the environment may put another one in its place.
    pub(crate) fn rule_of_newer(&self, topic: &str) -> Option<OnError> {
        let (of, own) = self.policy(topic)?;
        let own = own.filter(|_| of != ALL)?;
        Some(self.overriding.unwrap_or(own))
    }

    /// Returns true if any of the rules that apply may set an event aside.
    pub(crate) fn can_set_aside(&self) -> bool {
        let own = self.policies.iter().filter_map(|(_, own)| *own);
        let rules: Vec<_> = match self.overriding {
            Some(rule) => vec![rule],
            None => own.chain(self.default).collect(),
        };
        rules.into_iter().any(OnError::can_set_aside)
    }

    /// Returns the maximum number of events that are set aside.
    pub(crate) fn failures_max(&self) -> u64 {
        self.failures_max
    }

    /// Returns the topic and the rule of the policy that handles the event `topic`.
    fn policy(&self, topic: &str) -> Option<(&str, Option<OnError>)> {
        let topics = self.policies.iter().map(|(of, _)| of.as_str());
        let closest = policy_set::closest(topics, topic)?;
        let mut policies = self.policies.iter();
        let found = policies.find(|(of, _)| of == closest);
        found.map(|(of, own)| (of.as_str(), *own))
    }
}

#[cfg(test)]
mod tests {
    use es_store::{Env, Role};

    use super::*;
    use crate::policy::on_error::{Retry, Then};
    use crate::policy::policy_set::DeclaredTopic;

    const RETRY: OnError = OnError::Retry(Retry::DEFAULT);

    /// Returns the rules of policies for these topics.
    fn rules(
        policies: &[(&str, Option<OnError>)],
        default: Option<OnError>,
        env: Env,
    ) -> Result<Rules> {
        let topic = |(topic, _): &(&str, _)| DeclaredTopic::new((*topic).to_owned());
        let set = DeclaredPolicies {
            declared: policies.iter().map(topic).collect(),
            ..DeclaredPolicies::default()
        };
        let own = |(topic, rule): &(&str, Option<OnError>)| Some(((*topic).to_owned(), (*rule)?));
        let own = policies.iter().filter_map(own).collect();
        let shop = Application::open("Shop", Role::Follower, env)?;
        Rules::of(&shop, &set, &DeclaredRules { own, default })
    }

    fn read(policies: &[(&str, Option<OnError>)], default: Option<OnError>, env: Env) -> Rules {
        rules(policies, default, env).expect("rules")
    }

    #[test]
    fn the_rule_of_the_policy_goes_before_that_of_the_application() {
        let policies = [
            ("Dog.Sold", Some(OnError::SetAside)),
            ("Dog.Renamed", None),
            ("Cat.", Some(RETRY)),
            ("*", Some(OnError::Stop)),
        ];
        let rules = read(&policies, Some(OnError::SetAside), Env::new());
        for (topic, rule) in [
            ("Dog.Sold", OnError::SetAside),
            ("Dog.Renamed", OnError::SetAside),
            ("Cat.Sold", RETRY),
            ("Cat.Unknown", RETRY),
            ("Dog.Unknown", OnError::Stop),
        ] {
            assert_eq!(rules.rule(topic), rule, "{topic}");
        }
        let rules = read(&policies, None, Env::new());
        assert_eq!(rules.rule("Dog.Renamed"), OnError::Stop);
        assert_eq!(rules.failures_max(), 10_000);
        assert_eq!(Rules::default().rule("Dog.Sold"), OnError::Stop);
    }

    #[test]
    fn the_rule_of_the_environment_goes_before_all_others() {
        let policies = [("Dog.Sold", Some(OnError::SetAside)), ("Cat.", None)];
        let env = Env::new()
            .with("SHOP_ON_ERROR", "retry")
            .with("ON_ERROR", "stop")
            .with("SHOP_FAILURES_MAX", "3");
        let rules = read(&policies, Some(OnError::SetAside), env);
        assert_eq!(rules.rule("Dog.Sold"), RETRY);
        assert_eq!(rules.rule("Cat.Sold"), RETRY);
        assert_eq!(rules.failures_max(), 3);
        assert!(!rules.can_set_aside());
    }

    #[test]
    fn a_newer_event_waits_unless_its_own_policy_has_a_rule() {
        let policies = [
            ("Dog.Sold", None),
            ("Cat.", Some(OnError::SetAside)),
            ("*", Some(OnError::SetAside)),
        ];
        let default = Some(OnError::SetAside);
        let rules = read(&policies, default, Env::new());
        assert_eq!(rules.rule_of_newer("Dog.Sold"), None);
        assert_eq!(rules.rule_of_newer("Dog.Unknown"), None);
        assert_eq!(rules.rule_of_newer("Cat.Unknown"), Some(OnError::SetAside));
        let env = Env::new().with("ON_ERROR", "stop");
        let rules = read(&policies, default, env);
        assert_eq!(rules.rule_of_newer("Dog.Sold"), None);
        assert_eq!(rules.rule_of_newer("Cat.Sold"), Some(OnError::Stop));
    }

    #[test]
    fn events_can_be_set_aside_only_by_a_rule_that_applies() {
        let then = |then| {
            Some(OnError::Retry(Retry {
                then,
                ..Retry::DEFAULT
            }))
        };
        let can = |own, default, env: &[(&str, &str)]| {
            let env = env.iter().fold(Env::new(), |env, (k, v)| env.with(*k, *v));
            read(&[("Dog.Sold", own)], default, env).can_set_aside()
        };
        assert!(!can(None, None, &[]));
        assert!(!can(then(Then::Stop), Some(OnError::Stop), &[]));
        assert!(can(then(Then::SetAside), None, &[]));
        assert!(can(None, Some(OnError::SetAside), &[]));
        assert!(can(None, None, &[("ON_ERROR", "set_aside")]));
        let stop = [("ON_ERROR", "stop")];
        assert!(!can(then(Then::SetAside), Some(OnError::SetAside), &stop));
    }

    #[test]
    fn a_wrong_setting_is_an_error_that_names_its_key() {
        for (key, value) in [
            ("SHOP_ON_ERROR", "retry(times = 0)"),
            ("ON_ERROR", "skip"),
            ("SHOP_FAILURES_MAX", "many"),
        ] {
            let error = rules(&[], None, Env::new().with(key, value)).expect_err(key);
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("Shop: {key} is `{value}`")),
                "{text}"
            );
        }
    }
}
