//! The rules of a block of policies. Mistakes are reported together.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, ExprPath};

use super::model::{Context, Follower};
use super::parse::Block;
use crate::kind::Kind;
use crate::policy::follows::{Follows, aggregate_of};
use crate::policy::{self, Policy};
use crate::syntax::attributes::is_called;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::{BlockItem, OtherItem};

/// Checks the block. A policy with a mistake is reported and stays a method.
pub(super) fn follower(block: Block, context: Context, errors: &mut Errors) -> Follower {
    let Block {
        kind,
        krate,
        block,
        retired,
        on_error,
        from,
    } = block;
    let mut policies = Vec::new();
    let mut items = Vec::new();
    let mut is_marked = false;
    for item in block.items {
        items.push(match item {
            BlockItem::Method(mut method) => {
                for marker in take_markers(&mut method.attrs) {
                    is_marked = true;
                    policies.extend(policy::read(kind, &marker, &method, errors));
                }
                method.into_token_stream()
            }
            BlockItem::Other(other) => check_other(other, &mut is_marked, errors),
        });
    }
    if !is_marked {
        errors.on(&block.self_ty, without_a_policy(kind));
    }
    check_one_policy_for_an_event(&policies, errors);
    check_retired(&retired, &policies, errors);
    Follower {
        krate,
        attrs: block.attrs,
        impl_token: block.impl_token,
        self_ty: block.self_ty,
        brace: block.brace.span(),
        items,
        context,
        policies,
        retired,
        on_error,
        from,
    }
}

fn take_markers(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    let is_marker = |attr: &mut Attribute| is_called(attr, "policy");
    attrs.extract_if(.., is_marker).collect()
}

/// Rule: `#[policy]` stands on methods.
fn check_other(mut other: OtherItem, is_marked: &mut bool, errors: &mut Errors) -> TokenStream {
    for marker in take_markers(&mut other.attrs) {
        *is_marked = true;
        if other.is_broken_method() {
            errors.add(other.error.clone());
            return TokenStream::new();
        }
        errors.on(marker, "`#[policy(..)]` is for a method: remove it here");
    }
    other.into_token_stream()
}

/// Rule: a block has a policy.
fn without_a_policy(kind: Kind) -> &'static str {
    match kind {
        Kind::Projection => {
            "a projection without a policy has nothing in its tables: write a \
             `#[policy(Dog::TrickAdded)]` method"
        }
        _ => {
            "a process application without a policy follows nothing: write a \
             `#[policy(Dog::TrickAdded)]` method, or make it an `#[application]` and remove this \
             attribute"
        }
    }
}

/// Rule: an event has one policy, since two would run in no order. Of those that exist under a
/// condition perhaps only one does, which is found out when the table is made.
fn check_one_policy_for_an_event(policies: &[Policy], errors: &mut Errors) {
    for (at, policy) in policies.iter().enumerate() {
        for other in &policies[..at] {
            if !policy.cfgs.is_empty() || !other.cfgs.is_empty() {
                continue;
            }
            let Some(event) = in_both(&policy.follows, &other.follows) else {
                continue;
            };
            let follows = match policy.follows {
                Follows::Rest(_) => "everything else",
                _ => "this event",
            };
            let message = format!(
                "`{}` follows {follows} already: let it call both, in the order in which they are \
                 to run",
                other.method
            );
            errors.on(event, message);
        }
    }
}

/// Rule: an event whose policy was taken out is not followed, and is named once. A policy for
/// everything else follows it, too. Policies that exist under a condition may not be there.
fn check_retired(retired: &[Follows], policies: &[Policy], errors: &mut Errors) {
    let always = policies.iter().filter(|policy| policy.cfgs.is_empty());
    for (at, follows) in retired.iter().enumerate() {
        if let Some(policy) = always
            .clone()
            .find(|policy| has_all(&policy.follows, follows))
        {
            let message = format!(
                "`{}` follows this, so its policy is not taken out: remove one of the two",
                policy.method
            );
            errors.on(tokens_of(follows), message);
        } else if retired[..at].iter().any(|other| has_all(other, follows)) {
            errors.on(
                tokens_of(follows),
                "this is named twice: remove one of the two",
            );
        }
    }
}

/// Returns true if `follows` has all events of `retired`.
fn has_all(follows: &Follows, retired: &Follows) -> bool {
    match (follows, retired) {
        (Follows::Rest(_), _) => true,
        (_, Follows::Rest(_)) => false,
        (Follows::All(one), Follows::All(other)) => one == other,
        (_, Follows::All(_)) => false,
        (follows, retired) => retired.events().iter().all(|event| match follows {
            Follows::All(aggregate) => aggregate_of(event).as_ref() == Some(aggregate),
            follows => follows.events().contains(event),
        }),
    }
}

fn tokens_of(follows: &Follows) -> TokenStream {
    match follows {
        Follows::All(aggregate) => aggregate.to_token_stream(),
        Follows::Rest(rest) => rest.to_token_stream(),
        follows => follows
            .events()
            .iter()
            .map(ToTokens::to_token_stream)
            .collect(),
    }
}

/// The tokens of `new` that name an event which `known` names, too. One event by two different
/// paths is found out when the table is made.
fn in_both(new: &Follows, known: &Follows) -> Option<TokenStream> {
    match (new, known) {
        (Follows::Rest(rest), Follows::Rest(_)) => Some(rest.to_token_stream()),
        (Follows::All(aggregate), known) => {
            let is_of = |event| aggregate_of(event).as_ref() == Some(aggregate);
            let is_known = matches!(known, Follows::All(other) if other == aggregate);
            (is_known || known.events().iter().any(is_of)).then(|| aggregate.to_token_stream())
        }
        (new, known) => {
            let is_known = |event: &&ExprPath| match known {
                Follows::All(aggregate) => aggregate_of(event).as_ref() == Some(aggregate),
                known => known.events().contains(event),
            };
            new.events()
                .iter()
                .find(is_known)
                .map(ToTokens::to_token_stream)
        }
    }
}
