//! Zigzag variable-length integers as records use them: at most 5 bytes for 32 bits, 10 for 64.
//! Reading never goes behind the slice; `None` is a cut or over-long number.

/// Reads a 32-bit number; bits that do not fit into 32 are dropped, as Kafka drops them.
#[inline]
pub(super) fn read_i32(rest: &mut &[u8]) -> Option<i32> {
    let raw = read_raw(rest, 5)? as u32;
    Some((raw >> 1) as i32 ^ (raw as i32 & 1).wrapping_neg())
}

/// Reads a 64-bit number.
#[inline]
pub(super) fn read_i64(rest: &mut &[u8]) -> Option<i64> {
    let raw = read_raw(rest, 10)?;
    Some((raw >> 1) as i64 ^ (raw as i64 & 1).wrapping_neg())
}

#[inline]
fn read_raw(rest: &mut &[u8], bytes_max: u32) -> Option<u64> {
    let (&first, behind) = rest.split_first()?;
    *rest = behind;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    // Two bytes are as usual as one: lengths from 64 on, and the offsets of a batch of many records.
    let (&second, behind) = rest.split_first()?;
    *rest = behind;
    let value = u64::from(first & 0x7f) | u64::from(second & 0x7f) << 7;
    if second < 0x80 {
        return Some(value);
    }
    read_long(rest, value, bytes_max)
}

#[cold]
fn read_long(rest: &mut &[u8], mut value: u64, bytes_max: u32) -> Option<u64> {
    for index in 2..bytes_max {
        let (&byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7f).wrapping_shl(index.saturating_mul(7));
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Appends a 32-bit number.
pub(super) fn write_i32(out: &mut Vec<u8>, value: i32) {
    write_raw(out, u64::from((value.wrapping_shl(1) ^ (value >> 31)) as u32));
}

/// Appends a 64-bit number.
pub(super) fn write_i64(out: &mut Vec<u8>, value: i64) {
    write_raw(out, (value.wrapping_shl(1) ^ (value >> 63)) as u64);
}

fn write_raw(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
