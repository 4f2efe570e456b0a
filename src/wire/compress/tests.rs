use proptest::prelude::*;

use super::*;

const COMPRESSED: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

/// Bytes that compress somewhat.
fn text(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| ((i * i / 7) % 61) as u8 + b'A').collect()
}

fn raw_snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

#[test]
fn every_codec_gives_back_what_it_took_at_every_level() {
    let levels =
        [None, Some(i32::MIN), Some(-1), Some(1), Some(6), Some(9), Some(12), Some(17), Some(i32::MAX)];
    for length in [0, 1, 100, 70_000] {
        let bytes = text(length);
        for codec in Codec::ALL {
            for level in levels {
                let compressed = compress(codec, &bytes, level).unwrap();
                let opened = decompress(codec, &compressed, length).unwrap();
                assert!(opened == bytes, "{codec:?} {level:?} {length}");
            }
        }
    }
}

#[test]
fn what_a_java_producer_of_kafka_4_3_wrote_is_read() {
    let written = [
        (Codec::Gzip, "1f8b08000000000000ff4b4c4a4e494d4bcf481ca5c9a2014f26c29740010000"),
        (
            Codec::Snappy,
            "82534e415050590000000001000000010000001ac0021c6162636465666768fe0800fe0800fe0800fe0800de0800",
        ),
        (Codec::Lz4, "04224d18604082130000008f61626364656667680800ff2150646566676800000000"),
        (Codec::Zstd, "28b52ffd00587c0000406162636465666768010035530b17010000"),
    ];
    for (codec, hex) in written {
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        assert_eq!(decompress(codec, &bytes, 320), Ok(b"abcdefgh".repeat(40)), "{codec:?}");
    }
}

#[test]
fn a_higher_level_is_another_level() {
    let bytes = text(70_000);
    for (codec, low, high) in [(Codec::Gzip, 1, 9), (Codec::Lz4, 9, 12), (Codec::Zstd, -100, 19)] {
        let low = compress(codec, &bytes, Some(low)).unwrap().len();
        let high = compress(codec, &bytes, Some(high)).unwrap().len();
        assert!(high < low, "{codec:?}: {high} {low}");
    }
}

#[test]
fn content_above_the_limit_is_refused_whatever_the_codec() {
    let bytes = text(100_000);
    for codec in Codec::ALL {
        let compressed = compress(codec, &bytes, None).unwrap();
        for limit_bytes in [0, 1, 32_768, 99_999] {
            let refused = decompress(codec, &compressed, limit_bytes);
            assert_eq!(refused, Err(CompressError::TooLarge { limit_bytes }), "{codec:?}");
        }
    }
    let refused = decompress(Codec::Snappy, &raw_snappy(&bytes), 99_999);
    assert_eq!(refused, Err(CompressError::TooLarge { limit_bytes: 99_999 }));
}

#[test]
fn memory_follows_what_came_out_and_not_what_is_announced() {
    // A raw block that announces 2^32-1 bytes, alone and in snappy-java's framing.
    let announced = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, b'a'];
    let limit_bytes = usize::MAX;
    assert_eq!(
        decompress(Codec::Snappy, &announced, limit_bytes),
        Err(CompressError::Corrupt(Codec::Snappy))
    );
    let mut framed = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x07".to_vec();
    framed.extend_from_slice(&announced);
    assert_eq!(decompress(Codec::Snappy, &framed, limit_bytes), Err(CompressError::Corrupt(Codec::Snappy)));

    let opened = decompress(Codec::Zstd, &compress(Codec::Zstd, &[0; 1000], None).unwrap(), 1 << 30).unwrap();
    assert!(opened.capacity() <= 64 * 1024, "{}", opened.capacity());
}

#[test]
fn snappy_is_read_as_one_raw_block_and_in_the_framing_of_snappy_java() {
    let bytes = text(100_000);
    assert_eq!(decompress(Codec::Snappy, &raw_snappy(&bytes), 100_000), Ok(bytes.clone()));
    let framed = compress(Codec::Snappy, &bytes, None).unwrap();
    assert!(framed.starts_with(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01"));
    // Two streams one after the other are one, and a cut length ends the last.
    let twice = [&framed[..], &framed[..], b"\0\0"].concat();
    assert_eq!(decompress(Codec::Snappy, &twice, 200_000), Ok([&bytes[..], &bytes[..]].concat()));
}

#[test]
fn snappy_with_a_broken_header_or_a_block_that_ends_early_is_refused() {
    let framed = compress(Codec::Snappy, &text(1000), None).unwrap();
    for broken in [&b""[..], &framed[..12], &framed[..framed.len() - 1], b"\x82SNAPPY\0\0\0\0\0\0\0\0\x01"] {
        assert_eq!(decompress(Codec::Snappy, broken, 1000), Err(CompressError::Corrupt(Codec::Snappy)));
    }
    let mut negative = framed[..16].to_vec();
    negative.extend_from_slice(&(-5_i32).to_be_bytes());
    assert_eq!(decompress(Codec::Snappy, &negative, 1000), Err(CompressError::Corrupt(Codec::Snappy)));
}

#[test]
fn gzip_members_and_zstd_frames_that_follow_are_read_on() {
    for codec in [Codec::Gzip, Codec::Zstd] {
        let two = [compress(codec, b"one", None).unwrap(), compress(codec, b"two", None).unwrap()].concat();
        assert_eq!(decompress(codec, &two, 6), Ok(b"onetwo".to_vec()), "{codec:?}");
        assert_eq!(decompress(codec, &two, 5), Err(CompressError::TooLarge { limit_bytes: 5 }), "{codec:?}");
    }
}

#[test]
fn what_follows_a_gzip_member_or_an_lz4_frame_without_being_another_is_ignored() {
    for codec in [Codec::Gzip, Codec::Lz4] {
        let mut bytes = compress(codec, b"one", None).unwrap();
        bytes.extend_from_slice(b"garbage behind the end, long enough");
        assert_eq!(decompress(codec, &bytes, 3), Ok(b"one".to_vec()), "{codec:?}");
    }
    // Java's reader ends with the first frame.
    let two =
        [compress(Codec::Lz4, b"one", None).unwrap(), compress(Codec::Lz4, b"two", None).unwrap()].concat();
    assert_eq!(decompress(Codec::Lz4, &two, 6), Ok(b"one".to_vec()));
}

#[test]
fn a_gzip_member_that_is_broken_behind_its_header_is_refused() {
    let one = compress(Codec::Gzip, b"one", None).unwrap();
    let mut two = [&one[..], &one[..]].concat();
    let last = two.len() - 1;
    two[last] ^= 1;
    assert_eq!(decompress(Codec::Gzip, &two, 6), Err(CompressError::Corrupt(Codec::Gzip)));
}

#[test]
fn a_snappy_block_above_the_limit_is_refused_before_it_is_opened() {
    let block = raw_snappy(&text(1000));
    let mut opened = Opened::new(Codec::Snappy, &block, 999).unwrap();
    assert_eq!(opened.read(&mut [0; 10]), Err(CompressError::TooLarge { limit_bytes: 999 }));
}

#[test]
fn content_that_ends_early_is_refused() {
    let bytes = text(5000);
    for codec in COMPRESSED {
        let compressed = compress(codec, &bytes, None).unwrap();
        for length in 0..compressed.len() {
            // snappy-java's framing has no end mark: cut between blocks it is a shorter stream.
            let expected = if codec == Codec::Snappy && (16..20).contains(&length) {
                Ok(Vec::new())
            } else {
                Err(CompressError::Corrupt(codec))
            };
            assert_eq!(decompress(codec, &compressed[..length], 5000), expected, "{codec:?} {length}");
        }
    }
}

#[test]
fn an_lz4_frame_that_java_cannot_read_is_refused() {
    let mut linked = lz4::EncoderBuilder::new().block_mode(lz4::BlockMode::Linked).build(Vec::new()).unwrap();
    linked.write_all(&text(200_000)).unwrap();
    let (linked, result) = linked.finish();
    result.unwrap();
    assert_eq!(decompress(Codec::Lz4, &linked, 200_000), Err(CompressError::Corrupt(Codec::Lz4)));
    let skippable =
        [&b"\x50\x2a\x4d\x18\x04\0\0\0abcd"[..], &compress(Codec::Lz4, b"x", None).unwrap()].concat();
    assert_eq!(decompress(Codec::Lz4, &skippable, 10), Err(CompressError::Corrupt(Codec::Lz4)));
    let mut checksum = compress(Codec::Lz4, b"x", None).unwrap();
    checksum[6] ^= 1;
    assert_eq!(decompress(Codec::Lz4, &checksum, 10), Err(CompressError::Corrupt(Codec::Lz4)));
}

#[test]
fn an_lz4_frame_with_checksums_and_content_size_is_read() {
    let bytes = text(200_000);
    for size in [lz4::BlockSize::Max64KB, lz4::BlockSize::Max4MB] {
        let mut encoder = lz4::EncoderBuilder::new()
            .block_mode(lz4::BlockMode::Independent)
            .block_size(size)
            .content_size(200_000)
            .build(Vec::new())
            .unwrap();
        encoder.write_all(&bytes).unwrap();
        let (frame, result) = encoder.finish();
        result.unwrap();
        assert!(decompress(Codec::Lz4, &frame, 200_000).unwrap() == bytes);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_opened_or_refused_within_the_limit(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for codec in Codec::ALL {
            if let Ok(opened) = decompress(codec, &bytes, 10_000) {
                prop_assert!(opened.len() <= 10_000);
            }
        }
    }

    #[test]
    fn damaged_content_is_opened_or_refused_within_the_limit(
        length in 0_usize..3000,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let bytes = text(length);
        for codec in COMPRESSED {
            for mut compressed in [compress(codec, &bytes, None).unwrap(), raw_snappy(&bytes)] {
                for (at, value) in &damage {
                    let at = at.index(compressed.len());
                    compressed[at] = *value;
                }
                if let Ok(opened) = decompress(codec, &compressed, 4000) {
                    prop_assert!(opened.len() <= 4000);
                }
            }
        }
    }
}
