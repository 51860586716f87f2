//! Archives as an attacker writes them: any names, and members that grow when they are unpacked.

/// What a member of an archive holds.
pub(super) enum Member {
    Stored(Vec<u8>),
    /// So many times 258 bytes, deflated to next to nothing.
    Inflated(usize),
}

/// An archive with these members, whatever they are called.
pub(super) fn zip(members: &[(&str, Member)]) -> Vec<u8> {
    let (mut bytes, mut central) = (Vec::new(), Vec::new());
    let word = |value: usize| u16::try_from(value).expect("small").to_le_bytes();
    let long = |value: usize| u32::try_from(value).expect("small").to_le_bytes();
    for (name, member) in members {
        let (method, plain, packed) = match member {
            Member::Stored(plain) => (0, plain.clone(), plain.clone()),
            Member::Inflated(n) => (8, vec![b'a'; 1 + n * 258], deflated(*n)),
        };
        let mut head = Vec::new();
        for part in [20, 0, method, 0, 0x21] {
            head.extend(word(part));
        }
        head.extend(crc32(&plain).to_le_bytes());
        head.extend(long(packed.len()));
        head.extend(long(plain.len()));
        head.extend(word(name.len()));
        head.extend(word(0));
        let at = bytes.len();
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&head);
        bytes.extend(name.as_bytes());
        bytes.extend(packed);
        central.extend(b"PK\x01\x02\x14\x03");
        central.extend(&head);
        central.extend([0; 10]);
        central.extend(long(at));
        central.extend(name.as_bytes());
    }
    let at = bytes.len();
    bytes.extend(&central);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(word(members.len()));
    bytes.extend(word(members.len()));
    bytes.extend(long(central.len()));
    bytes.extend(long(at));
    bytes.extend(word(0));
    bytes
}

/// `1 + n * 258` times the letter `a` in one block with the fixed codes: the letter, then copies of it.
fn deflated(n: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    // Codes stand with their highest bit first.
    let mut code =
        |value: u32, length: u32| bits.extend((0..length).rev().map(|bit| (value >> bit) & 1 == 1));
    code(0x30 + u32::from(b'a'), 8);
    for _ in 0..n {
        code(0b1100_0101, 8);
        code(0, 5);
    }
    code(0, 7);
    bits.chunks(8)
        .map(|bits| {
            bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | (u8::from(*bit) << at))
        })
        .collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
