//! The rules of a policy's signature.

use quote::ToTokens;
use syn::{FnArg, PatType, ReceiverKind, ReturnType, Type};

use super::follows::Follows;
use super::types;
use crate::kind::Kind;
use crate::syntax::errors::Errors;
use crate::syntax::impl_block::Method;
use crate::syntax::tokens;

/// The types in the signature.
pub(super) struct Types {
    /// The event, without its `&`.
    pub(super) takes: Type,
    /// The processing event or the transaction.
    pub(super) works_on: Type,
    pub(super) returns: Type,
}

/// The parts of a right signature that messages show.
struct Shown {
    kind: Kind,
    /// The event's type.
    event: &'static str,
}

impl Shown {
    fn signature(&self) -> String {
        let event = self.event;
        let works_on = match self.kind {
            Kind::Projection => "tx: &mut Transaction<'_>",
            _ => "processing_event: &mut ProcessingEvent",
        };
        format!("`(&self, event: {event}, {works_on}) -> Result<()>`")
    }
}

/// Checks the signature of a policy that follows `follows`, if that could be read.
pub(super) fn check(
    kind: Kind,
    method: &Method,
    follows: Option<&Follows>,
    errors: &mut Errors,
) -> Option<Types> {
    let event = match follows {
        Some(Follows::Rest(_)) => "&UndecodedEvent",
        _ => "&DomainEvent<..>",
    };
    let shown = Shown { kind, event };
    check_qualifiers(method, errors);
    check_receiver(&shown, method, errors);
    let params = check_parameters(&shown, method, errors);
    if let (Some(Follows::One(event)), Some((takes, _))) = (follows, &params) {
        types::check_payload(takes, event, errors);
    }
    let returns = check_output(method, errors);
    let (takes, works_on) = params?;
    Some(Types {
        takes,
        works_on,
        returns: returns?,
    })
}

/// Rule: a policy is called by the library, for one type of event, on a thread of the library.
fn check_qualifiers(method: &Method, errors: &mut Errors) {
    let sig = &method.sig;
    if let Some(asyncness) = sig.asyncness {
        let message = "a policy cannot be `async`: it runs on a thread of the runner, which may \
                       block; remove `async`";
        errors.on(asyncness, message);
    }
    if !sig.safety.to_token_stream().is_empty() {
        errors.on(&sig.safety, "a policy cannot be `unsafe`: remove it");
    }
    if !sig.generics.params.is_empty() {
        let message = "a policy handles one type of event, so it has no type parameters or \
                       lifetimes: remove them";
        errors.on(&sig.generics, message);
    }
}

/// Rule: a policy shares the application.
fn check_receiver(shown: &Shown, method: &Method, errors: &mut Errors) {
    match method.sig.receiver() {
        Some(receiver) if matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) => {}
        Some(receiver) => {
            let message = match shown.kind {
                Kind::Projection => {
                    "a policy takes `&self`: the application is shared, and what changes are its \
                     tables, by the transaction"
                }
                _ => {
                    "a policy takes `&self`: the application is shared, and what changes is \
                     collected on the processing event"
                }
            };
            errors.on(receiver, message);
        }
        None => {
            let signature = shown.signature();
            let message = format!("a policy takes `&self` first; its signature is {signature}");
            errors.on(&method.sig.ident, message);
        }
    }
}

/// Rule: a policy takes the event and what it works on. Both types come out, the event's without
/// its `&`.
fn check_parameters(shown: &Shown, method: &Method, errors: &mut Errors) -> Option<(Type, Type)> {
    let params = method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    });
    let params: Vec<&PatType> = params.collect();
    let [event, works_on] = params[..] else {
        let takes = match shown.kind {
            Kind::Projection => "a policy of a projection takes the event and the transaction",
            _ => "a policy takes the event and the processing event",
        };
        let message = format!("{takes}: its signature is {}", shown.signature());
        match params.get(2) {
            Some(third) => errors.on(third, message),
            None => errors.on(&method.sig.ident, message),
        }
        return None;
    };
    check_works_on(shown.kind, works_on, errors);
    let event = check_event(shown, event, errors)?;
    Some((event, (*works_on.ty).clone()))
}

/// Rule: the event is a shared reference to one type.
fn check_event(shown: &Shown, param: &PatType, errors: &mut Errors) -> Option<Type> {
    let has_impl = tokens::has_word(&param.ty.to_token_stream(), "impl");
    match &*param.ty {
        Type::Reference(reference) if reference.mutability.is_none() && !has_impl => {
            Some((*reference.elem).clone())
        }
        ty => {
            let event = shown.event;
            errors.on(ty, format!("a policy reads the event: write `{event}`"));
            None
        }
    }
}

/// Rule: the second parameter is a mutable reference to what this kind of application works on.
fn check_works_on(kind: Kind, param: &PatType, errors: &mut Errors) {
    let is_mut = matches!(&*param.ty, Type::Reference(reference) if reference.mutability.is_some());
    let (of_the_other_kind, takes, changes) = match kind {
        Kind::Projection => (
            "ProcessingEvent",
            "a policy of a projection takes the transaction: write `tx: &mut Transaction<'_>`",
            "a policy of a projection changes tables by the transaction: write `&mut Transaction<'_>`",
        ),
        _ => (
            "Transaction",
            "a policy of a process application takes the processing event: write \
             `processing_event: &mut ProcessingEvent`",
            "a policy collects new events on the processing event: write `&mut ProcessingEvent`",
        ),
    };
    if types::last_word(&param.ty).is_some_and(|word| word == of_the_other_kind) {
        errors.on(&param.ty, takes);
    } else if !is_mut {
        errors.on(&param.ty, changes);
    }
}

/// Rule: a policy returns a result, which decides if the event counts as processed.
fn check_output(method: &Method, errors: &mut Errors) -> Option<Type> {
    match &method.sig.output {
        ReturnType::Type(_, ty) => Some((**ty).clone()),
        ReturnType::Default => {
            let message = "a policy returns `Result<()>`: write `-> Result<()>`, and end the body \
                           with `Ok(())`";
            errors.on(&method.sig.ident, message);
            None
        }
    }
}
