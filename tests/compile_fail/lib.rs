//! The mistakes that the attributes report. A package of their own keeps the crates that the other
//! tests need out of their build.
