//! What a policy must be. Every rule is a function; what it finds is reported with the rest.

mod tables;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, ExprPath, FnArg, PatType, ReceiverKind, ReturnType, Type};

use super::kind::Kind;
use super::model::{Follower, Follows, Policy, aggregate_of};
use super::parse::Block;
use super::{follows, names};
use crate::errors::Errors;
use crate::impl_block::{BlockItem, Method, OtherItem};

/// The event that messages show.
fn event_type(follows: Option<&Follows>) -> &'static str {
    match follows {
        Some(Follows::Rest(_)) => "&UndecodedEvent",
        _ => "&DomainEvent<..>",
    }
}

/// Checks the block. A policy with a mistake is reported and stays a method.
pub(super) fn follower(Block { kind, krate, block }: Block, errors: &mut Errors) -> Follower {
    let mut policies = Vec::new();
    let (mut items, mut marked) = (Vec::new(), false);
    let tables = match kind {
        Kind::Collecting => None,
        Kind::InTables => tables::check(&block, errors),
    };
    for item in block.items {
        items.push(match item {
            BlockItem::Method(mut method) => {
                for marker in take_markers(&mut method.attrs) {
                    marked = true;
                    policies.extend(policy(kind, &marker, &method, errors));
                }
                method.into_token_stream()
            }
            BlockItem::Other(other) => check_other(other, &mut marked, errors),
        });
    }
    if !marked {
        errors.on(&block.self_ty, kind.without_a_policy());
    }
    check_one_policy_for_an_event(&policies, errors);
    Follower {
        kind,
        krate,
        attrs: block.attrs,
        impl_token: block.impl_token,
        self_ty: block.self_ty,
        brace: block.brace.span(),
        items,
        tables,
        policies,
    }
}

fn take_markers(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    attrs.extract_if(.., |attr| is_marker(attr)).collect()
}

fn is_marker(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "policy")
}

/// `#[policy]` stands on methods.
fn check_other(mut other: OtherItem, marked: &mut bool, errors: &mut Errors) -> TokenStream {
    for marker in take_markers(&mut other.attrs) {
        *marked = true;
        let is_method = other
            .tokens
            .clone()
            .into_iter()
            .any(|token| token.to_string() == "fn");
        if is_method {
            errors.add(other.error.clone());
            return TokenStream::new();
        }
        errors.on(marker, "`#[policy(..)]` is for a method: remove it here");
    }
    other.into_token_stream()
}

fn policy(kind: Kind, marker: &Attribute, method: &Method, errors: &mut Errors) -> Option<Policy> {
    let follows = follows::parse(marker);
    let follows = follows.map_err(|error| errors.add(error)).ok();
    let found = errors.count();
    check_qualifiers(method, errors);
    let event = event_type(follows.as_ref());
    check_receiver(kind, method, event, errors);
    let takes = check_parameters(kind, method, event, errors);
    if let (Some(Follows::One(event)), Some((takes, _))) = (&follows, &takes) {
        names::check_payload(takes, event, errors);
    }
    let returns = check_output(method, errors);
    if errors.count() > found {
        return None;
    }
    let cfgs = method
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .cloned()
        .collect();
    let (takes, collects) = takes?;
    let method = method.sig.ident.clone();
    Some(Policy {
        follows: follows?,
        cfgs,
        method,
        takes,
        collects,
        returns: returns?,
    })
}

/// A policy is called by the library, for one type of event, on a thread of the library.
fn check_qualifiers(method: &Method, errors: &mut Errors) {
    let sig = &method.sig;
    if let Some(asyncness) = sig.asyncness {
        let message = "a policy cannot be `async`: it runs on a thread of the runner, which may block; remove `async`";
        errors.on(asyncness, message);
    }
    if !sig.safety.to_token_stream().is_empty() {
        errors.on(&sig.safety, "a policy cannot be `unsafe`: remove it");
    }
    if !sig.generics.params.is_empty() {
        let message = "a policy handles one type of event, so it has no type parameters or lifetimes: remove them";
        errors.on(&sig.generics, message);
    }
}

/// A policy belongs to the application.
fn check_receiver(kind: Kind, method: &Method, event: &str, errors: &mut Errors) {
    match method.sig.receiver() {
        Some(receiver) if matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) => {}
        Some(receiver) => errors.on(receiver, kind.shared()),
        None => {
            let signature = kind.signature(event);
            let message = format!("a policy takes `&self` first; its signature is {signature}");
            errors.on(&method.sig.ident, message);
        }
    }
}

/// It takes the event and the processing event. The type behind the event's `&` comes out, and the other's.
fn check_parameters(
    kind: Kind,
    method: &Method,
    event_type: &str,
    errors: &mut Errors,
) -> Option<(Type, Type)> {
    let params = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    });
    let params: Vec<&PatType> = params.collect();
    let [event, processing_event] = params[..] else {
        let signature = kind.signature(event_type);
        let message = format!("{}: its signature is {signature}", kind.takes());
        match params.get(2) {
            Some(third) => errors.on(third, message),
            None => errors.on(&method.sig.ident, message),
        }
        return None;
    };
    check_context(kind, processing_event, errors);
    let event = check_event(event, event_type, errors)?;
    Some((event, (*processing_event.ty).clone()))
}

fn check_event(param: &PatType, event_type: &str, errors: &mut Errors) -> Option<Type> {
    let has_impl = param
        .ty
        .to_token_stream()
        .into_iter()
        .any(|token| token.to_string() == "impl");
    match &*param.ty {
        Type::Reference(reference) if reference.mutability.is_none() && !has_impl => {
            Some((*reference.elem).clone())
        }
        ty => {
            errors.on(
                ty,
                format!("a policy reads the event: write `{event_type}`"),
            );
            None
        }
    }
}

fn check_context(kind: Kind, param: &PatType, errors: &mut Errors) {
    let is_mut = matches!(&*param.ty, Type::Reference(reference) if reference.mutability.is_some());
    let (others, message) = kind.of_the_other();
    if names::last_word(&param.ty).is_some_and(|word| word == others) {
        errors.on(&param.ty, message);
    } else if !is_mut {
        errors.on(&param.ty, kind.mutable());
    }
}

/// What a policy answers decides whether the event counts as processed.
fn check_output(method: &Method, errors: &mut Errors) -> Option<Type> {
    match &method.sig.output {
        ReturnType::Type(_, ty) => Some((**ty).clone()),
        ReturnType::Default => {
            let message = "a policy returns `Result<()>`: write `-> Result<()>`, and end the body with `Ok(())`";
            errors.on(&method.sig.ident, message);
            None
        }
    }
}

/// One event, one policy: two would run in no order. Of those that exist under a condition perhaps only one does, which is found
/// out when the table is made.
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
                "`{}` follows {follows} already: let it call both, in the order in which they are to run",
                other.method
            );
            errors.on(event, message);
        }
    }
}

/// The tokens of `new` that name an event which `known` names, too. What is named in different ways is found out when the
/// table is made.
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
