//! Comparisons whose duration says nothing about where two secrets differ. Their lengths are not hidden:
//! every secret compared here has a public, fixed length or is a digest.

/// Whether `a` and `b` are the same bytes.
pub fn eq(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Whether `a` and `b` are the same text.
pub fn eq_str(a: &str, b: &str) -> bool {
    eq(a.as_bytes(), b.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_agrees_with_ordinary_comparison(a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
            prop_assert_eq!(super::eq(&a, &b), a == b);
            prop_assert!(super::eq(&a, &a));
        }
    }

    #[test]
    fn a_prefix_is_not_equal() {
        assert!(!super::eq_str("secret", "secre"));
        assert!(!super::eq_str("", "a"));
        assert!(super::eq_str("", ""));
    }
}
