use proptest::prelude::*;

use super::*;

fn key(byte: u8) -> SealingKey {
    SealingKey::new([byte; 32]).unwrap()
}

#[test]
fn hkdf_agrees_with_rfc_5869_test_case_1() {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let salt: Vec<u8> = (0..=0x0c).collect();
    let info: Vec<u8> = (0xf0..=0xf9).collect();
    let mut out = [0; 42];
    let prk = Salt::new(HKDF_SHA256, &salt).extract(&[0x0b; 22]);
    prk.expand(&[&info], Length(42)).unwrap().fill(&mut out).unwrap();
    let text = out.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(text, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

#[test]
fn a_value_does_not_open_in_another_row() {
    let key = key(1);
    let sealed = key.seal("applications|t1|row1|secret", b"value").unwrap();
    assert_eq!(key.open("applications|t1|row1|secret", &sealed).unwrap(), b"value");
    for other in
        ["applications|t1|row2|secret", "applications|t2|row1|secret", "providers|t1|row1|secret", ""]
    {
        assert_eq!(key.open(other, &sealed), Err(NotOpened::Tampered), "{other}");
    }
}

#[test]
fn another_key_is_a_clear_refusal_and_not_tampering() {
    let sealed = key(1).seal("c", b"value").unwrap();
    let refusal = key(2).open("c", &sealed).unwrap_err();
    assert_eq!(refusal, NotOpened::OtherKey(key(1).id()));
    let fault = Fault::from(refusal);
    assert!(fault.detail.contains(&hex(key(1).id())), "{}", fault.detail);
}

#[test]
fn every_changed_bit_is_noticed() {
    let key = key(1);
    let sealed = key.seal("c", b"some value").unwrap();
    for position in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[position / 8] ^= 1 << (position % 8);
        assert!(key.open("c", &changed).is_err(), "bit {position}");
    }
    for length in 0..sealed.len() {
        assert!(key.open("c", &sealed[..length]).is_err(), "length {length}");
    }
}

#[test]
fn the_layout_is_version_key_nonce_body() {
    let sealed = key(1).seal_with([7; 12], "c", b"value").unwrap();
    assert_eq!(sealed[0], 1);
    assert_eq!(sealed[1..9], key(1).id());
    assert_eq!(sealed[1..9], digest::sha256(&[1; 32])[..8]);
    assert_eq!(sealed[9..21], [7; 12]);
    assert_eq!(sealed.len(), 21 + 5 + 16);
    assert_ne!(key(1).seal("c", b"value").unwrap(), key(1).seal("c", b"value").unwrap());
}

#[test]
fn earlier_keys_open_and_are_outdated() {
    let old = key(1).seal("c", b"value").unwrap();
    let keys = SealingKeys::new(key(2), vec![key(1)]);
    assert_eq!(keys.open("c", &old).unwrap(), b"value");
    assert!(keys.is_outdated(&old));
    let new = keys.current().seal("c", b"value").unwrap();
    assert!(!keys.is_outdated(&new));
    assert_eq!(keys.open("c", &new).unwrap(), b"value");
    let foreign = key(3).seal("c", b"value").unwrap();
    assert_eq!(keys.open("c", &foreign), Err(NotOpened::OtherKey(key(3).id())));
    assert_eq!(keys.open("c", b""), Err(NotOpened::NotSealed));
}

#[test]
fn derived_keys_differ_by_purpose_and_key() {
    let (one, other) = (key(1), key(2));
    assert_eq!(one.derive("csrf").unwrap(), one.derive("csrf").unwrap());
    assert_ne!(one.derive("csrf").unwrap(), one.derive("cookies").unwrap());
    assert_ne!(one.derive("csrf").unwrap(), other.derive("csrf").unwrap());
    assert_ne!(one.derive("csrf").unwrap(), [1; 32]);
}

#[test]
fn debug_tells_the_id_only() {
    assert_eq!(format!("{:?}", key(1)), format!("SealingKey({})", hex(key(1).id())));
}

#[cfg(unix)]
mod file {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::*;

    fn write(path: &Path, content: &[u8], mode: u32) {
        fs::write(path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_made_once_and_readable_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(SealingKey::load_or_create(&path, false).is_err());
        assert!(!path.exists());
        let made = SealingKey::load_or_create(&path, true).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for create in [true, false] {
            assert_eq!(SealingKey::load_or_create(&path, create).unwrap().id(), made.id());
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_by_name_and_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared-key");
        for mode in [0o640, 0o604, 0o644, 0o660, 0o610] {
            write(&path, &[7; 32], mode);
            let fault = SealingKey::load_or_create(&path, true).unwrap_err();
            assert!(fault.detail.contains("shared-key"), "{}", fault.detail);
            assert!(fault.detail.contains(&format!("{mode:04o}")), "{}", fault.detail);
        }
    }

    #[test]
    fn raw_bytes_and_base64_are_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for content in [
            vec![0xfb; 32],
            STANDARD.encode([0xfb; 32]).into_bytes(),
            format!("{}\r\n", STANDARD_NO_PAD.encode([0xfb; 32])).into_bytes(),
            format!(" {}\n", URL_SAFE_NO_PAD.encode([0xfb; 32])).into_bytes(),
        ] {
            write(&path, &content, 0o600);
            assert_eq!(
                SealingKey::load_or_create(&path, false).unwrap().id(),
                SealingKey::new([0xfb; 32]).unwrap().id()
            );
        }
    }

    #[test]
    fn a_file_with_anything_else_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        for content in [&b""[..], b"short", &[7; 31], &[7; 33], &[0xff; 2000], b"AAAA"] {
            write(&path, content, 0o600);
            assert!(SealingKey::load_or_create(&path, true).is_err());
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }
}

proptest! {
    #[test]
    fn what_is_sealed_opens(secret in any::<[u8; 32]>(), context in any::<String>(), value in any::<Vec<u8>>()) {
        let key = SealingKey::new(secret).unwrap();
        let sealed = key.seal(&context, &value).unwrap();
        prop_assert_eq!(key.open(&context, &sealed).unwrap(), value);
    }

    #[test]
    fn no_bytes_open_by_chance(bytes in any::<Vec<u8>>()) {
        prop_assert!(key(1).open("c", &bytes).is_err());
    }
}
