//! The argument of a save: one aggregate or several.

use es_core::Aggregate;

use crate::error::Result;

/// One aggregate or several, to be saved or collected together: `&mut dog`, `(&mut dog, &mut
/// kennel)` with up to eight elements, a slice `&mut dogs[..]`, or a `Vec` of any of these. The
/// trait is sealed.
#[diagnostic::on_unimplemented(
    message = "aggregates are passed as `&mut dog`, not as `{Self}`",
    label = "write `&mut` in front of an aggregate; several are `(&mut a, &mut b)` or `&mut all[..]`"
)]
pub trait Aggregates: Sealed {
    #[doc(hidden)]
    fn __visit<V: Visitor>(&mut self, visitor: &mut V) -> Result<()>;
}

/// Seals [`Aggregates`].
pub trait Sealed {}

impl<A: Aggregate> Sealed for &mut A {}
impl<A: Aggregate> Sealed for &mut [A] {}
impl<T: Aggregates> Sealed for Vec<T> {}

/// An operation on aggregates of any type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` visits no aggregates",
    label = "needs `impl Visitor for {Self}`"
)]
pub trait Visitor {
    /// Visits one aggregate.
    ///
    /// # Errors
    /// The first error ends the visit.
    fn visit<A: Aggregate>(&mut self, aggregate: &mut A) -> Result<()>;
}

#[diagnostic::do_not_recommend]
impl<A: Aggregate> Aggregates for &mut A {
    fn __visit<V: Visitor>(&mut self, visitor: &mut V) -> Result<()> {
        visitor.visit(&mut **self)
    }
}

#[diagnostic::do_not_recommend]
impl<A: Aggregate> Aggregates for &mut [A] {
    fn __visit<V: Visitor>(&mut self, visitor: &mut V) -> Result<()> {
        self.iter_mut()
            .try_for_each(|aggregate| visitor.visit(aggregate))
    }
}

#[diagnostic::do_not_recommend]
impl<T: Aggregates> Aggregates for Vec<T> {
    fn __visit<V: Visitor>(&mut self, visitor: &mut V) -> Result<()> {
        self.iter_mut()
            .try_for_each(|aggregates| aggregates.__visit(visitor))
    }
}

macro_rules! for_tuples {
    ($($name:ident)+) => {
        impl<$($name: Aggregates),+> Sealed for ($($name,)+) {}

        #[diagnostic::do_not_recommend]
        impl<$($name: Aggregates),+> Aggregates for ($($name,)+) {
            #[allow(non_snake_case)]
            fn __visit<VISITOR: Visitor>(&mut self, visitor: &mut VISITOR) -> Result<()> {
                let ($($name,)+) = self;
                $($name.__visit(visitor)?;)+
                Ok(())
            }
        }
    };
}

for_tuples!(A);
for_tuples!(A B);
for_tuples!(A B C);
for_tuples!(A B C D);
for_tuples!(A B C D E);
for_tuples!(A B C D E F);
for_tuples!(A B C D E F G);
for_tuples!(A B C D E F G H);
