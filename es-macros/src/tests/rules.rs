//! The rules for events whose policy fails, and the event with which a follower begins.

use quote::quote;

use super::{item_containing, pretty};
use crate::process_application;

#[test]
fn the_rules_stand_behind_the_policies() {
    let expanded = process_application::expand(
        quote!(
            on_error = retry(times = 3, backoff = "2s..5min", then = set_aside),
            from = 1000
        ),
        quote! {
            impl Counters {
                #[policy(Dog::Renamed, on_error = stop)]
                fn renamed(&self, _: &DomainEvent<DogRenamed>, _: &mut ProcessingEvent) -> Result<()> {}

                #[cfg(feature = "sales")]
                #[policy(Dog::Sold, Dog::Lent, on_error = set_aside, added = now)]
                fn sold(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {}

                #[policy(Cat::*, on_error = retry)]
                fn cat(&self, _: &DomainEvent<CatEvent>, _: &mut ProcessingEvent) -> Result<()> {}

                #[policy(_, on_error = retry(backoff = "100ms..60s"))]
                fn rest(&self, _: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {}
            }
        },
    );
    insta::assert_snapshot!(item_containing(&pretty(&expanded), "fn policies"));
}
