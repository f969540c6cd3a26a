//! What a policy must be. Every rule is a function; what it finds is reported with the rest.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, FnArg, PatType, ReceiverKind, ReturnType, Type};

use super::model::{Follower, Policy};
use super::names;
use super::parse::{self, Block};
use crate::errors::Errors;
use crate::impl_block::{BlockItem, Method, OtherItem};

/// The signature that messages show.
const SIGNATURE: &str =
    "`(&self, event: &DomainEvent<..>, processing_event: &mut ProcessingEvent) -> Result<()>`";

/// Checks the block. A policy with a mistake is reported and stays a method.
pub(super) fn follower(Block { krate, block }: Block, errors: &mut Errors) -> Follower {
    let mut policies = Vec::new();
    let (mut items, mut marked) = (Vec::new(), false);
    for item in block.items {
        items.push(match item {
            BlockItem::Method(mut method) => {
                for marker in take_markers(&mut method.attrs) {
                    marked = true;
                    policies.extend(policy(&marker, &method, errors));
                }
                method.into_token_stream()
            }
            BlockItem::Other(other) => check_other(other, &mut marked, errors),
        });
    }
    if !marked {
        let message = "a process application without a policy follows nothing: write a `#[policy(Dog::TrickAdded)]` method, \
                       or make it an `#[application]` and remove this attribute";
        errors.on(&block.self_ty, message);
    }
    check_one_policy_for_an_event(&policies, errors);
    Follower {
        krate,
        attrs: block.attrs,
        impl_token: block.impl_token,
        self_ty: block.self_ty,
        brace: block.brace.span(),
        items,
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

fn policy(marker: &Attribute, method: &Method, errors: &mut Errors) -> Option<Policy> {
    let event = parse::event(marker).map_err(|error| errors.add(error)).ok();
    let found = errors.count();
    check_qualifiers(method, errors);
    check_receiver(method, errors);
    let takes = check_parameters(method, errors);
    if let (Some(event), Some((takes, _))) = (&event, &takes) {
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
        event: event?,
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
fn check_receiver(method: &Method, errors: &mut Errors) {
    match method.sig.receiver() {
        Some(receiver) if matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) => {}
        Some(receiver) => errors.on(
            receiver,
            "a policy takes `&self`: the application is shared, and what changes is collected on the processing event",
        ),
        None => errors.on(&method.sig.ident, format!("a policy takes `&self` first; its signature is {SIGNATURE}")),
    }
}

/// It takes the event and the processing event. The type behind the event's `&` comes out, and the other's.
fn check_parameters(method: &Method, errors: &mut Errors) -> Option<(Type, Type)> {
    let params = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    });
    let params: Vec<&PatType> = params.collect();
    let [event, processing_event] = params[..] else {
        let message = format!(
            "a policy takes the event and the processing event: its signature is {SIGNATURE}"
        );
        match params.get(2) {
            Some(third) => errors.on(third, message),
            None => errors.on(&method.sig.ident, message),
        }
        return None;
    };
    check_processing_event(processing_event, errors);
    Some((check_event(event, errors)?, (*processing_event.ty).clone()))
}

fn check_event(param: &PatType, errors: &mut Errors) -> Option<Type> {
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
                "a policy reads the event: write `&DomainEvent<..>` with the event's type",
            );
            None
        }
    }
}

fn check_processing_event(param: &PatType, errors: &mut Errors) {
    let is_mut = matches!(&*param.ty, Type::Reference(reference) if reference.mutability.is_some());
    if !is_mut {
        let message =
            "a policy collects new events on the processing event: write `&mut ProcessingEvent`";
        errors.on(&param.ty, message);
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

/// One event, one policy: two would run in no order.
fn check_one_policy_for_an_event(policies: &[Policy], errors: &mut Errors) {
    for (at, policy) in policies.iter().enumerate() {
        let same = policies[..at]
            .iter()
            .find(|other| other.event == policy.event);
        if let Some(other) = same {
            let message = format!(
                "`{}` follows this event already: let it call both, in the order in which they are to run",
                other.method
            );
            errors.on(&policy.event, message);
        }
    }
}
