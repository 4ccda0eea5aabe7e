//! Reading and writing single bits, and the Exp-Golomb codes of H.264
//! (ITU-T H.264, section 9.1) and HEVC (ITU-T H.265, section 9.2).
//!
//! Both work on the raw byte sequence payload (RBSP), that is, after
//! [`unescape`](super::nal::unescape) has removed the emulation prevention
//! bytes.

use std::fmt;

/// The bits ended before the syntax did, or a value is out of its range.
///
/// It names what was being read, so that a message can say which part of a
/// stream is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntaxError(pub &'static str);

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken bitstream syntax: {}", self.0)
    }
}

impl std::error::Error for SyntaxError {}

/// What every parser in this folder returns.
pub type Result<T> = std::result::Result<T, SyntaxError>;

/// Reads bits from the most significant one on.
#[derive(Debug, Clone)]
pub struct BitReader<'a> {
    data: &'a [u8],
    /// In bits from the start of `data`.
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Starts at the first bit of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// How many bits were read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many bits are left, trailing bits included.
    pub fn remaining(&self) -> usize {
        self.data.len() * 8 - self.position
    }

    /// One bit as a flag.
    pub fn flag(&mut self) -> Result<bool> {
        let byte = self
            .data
            .get(self.position / 8)
            .ok_or(SyntaxError("the data ends early"))?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Ok(bit == 1)
    }

    /// The bits from here on, at the top of a word: at least 57 of them, zeros
    /// past the end of the data.
    fn window(&self) -> u64 {
        let rest = self.data.get(self.position / 8..).unwrap_or_default();
        let word = if let Some(bytes) = rest.first_chunk() {
            u64::from_be_bytes(*bytes)
        } else {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(bytes)
        };
        word << (self.position % 8)
    }

    /// `count` bits (at most 32), most significant first: `u(n)`.
    pub fn bits(&mut self, count: u32) -> Result<u32> {
        debug_assert!(count <= 32);
        if count as usize > self.remaining() {
            return Err(SyntaxError("the data ends early"));
        }
        if count == 0 {
            return Ok(0);
        }
        let value = self.window() >> (64 - count);
        self.position += count as usize;
        u32::try_from(value).map_err(|_| SyntaxError("a field wider than 32 bits"))
    }

    /// Passes over `count` bits.
    pub fn skip(&mut self, count: usize) -> Result<()> {
        if count > self.remaining() {
            return Err(SyntaxError("the data ends early"));
        }
        self.position += count;
        Ok(())
    }

    /// An unsigned Exp-Golomb code: `ue(v)`.
    pub fn ue(&mut self) -> Result<u32> {
        let zeros = self.window().leading_zeros();
        if zeros as usize >= self.remaining() {
            return Err(SyntaxError("the data ends early"));
        }
        if zeros > 31 {
            return Err(SyntaxError("an Exp-Golomb code longer than 32 bits"));
        }
        self.position += zeros as usize;
        // The one that ends the zeros is the top bit of the value plus one.
        Ok(self.bits(zeros + 1)? - 1)
    }

    /// A signed Exp-Golomb code: `se(v)`.
    pub fn se(&mut self) -> Result<i32> {
        let code = i64::from(self.ue()?);
        let value = if code % 2 == 1 {
            (code + 1) / 2
        } else {
            -(code / 2)
        };
        i32::try_from(value).map_err(|_| SyntaxError("a signed code out of range"))
    }

    /// Whether syntax follows before the trailing bits: `more_rbsp_data()`.
    pub fn more_rbsp_data(&self) -> bool {
        match stop_bit(self.data) {
            Some(stop) => self.position < stop,
            None => false,
        }
    }
}

/// The position in bits of the last set bit, which is where `rbsp_trailing_bits()`
/// starts in a parameter set or a slice.
pub fn stop_bit(rbsp: &[u8]) -> Option<usize> {
    let last = rbsp.iter().rposition(|&byte| byte != 0)?;
    Some(last * 8 + 7 - rbsp[last].trailing_zeros() as usize)
}

/// Writes bits, most significant first.
#[derive(Debug, Clone, Default)]
pub struct BitWriter {
    data: Vec<u8>,
    /// Bits in use in the last byte of `data`, 0 when it is full or absent.
    used: u32,
}

impl BitWriter {
    /// An empty writer.
    #[cfg(test)]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            data: Vec::with_capacity(bytes),
            used: 0,
        }
    }

    /// How many bits were written so far.
    #[cfg(test)]
    pub fn position(&self) -> usize {
        match self.used {
            0 => self.data.len() * 8,
            used => (self.data.len() - 1) * 8 + used as usize,
        }
    }

    /// One flag.
    pub fn flag(&mut self, value: bool) {
        if self.used == 0 {
            self.data.push(0);
        }
        if value && let Some(last) = self.data.last_mut() {
            *last |= 0x80 >> self.used;
        }
        self.used = (self.used + 1) % 8;
    }

    /// The `count` low bits of `value`, most significant first.
    pub fn bits(&mut self, value: u32, count: u32) {
        debug_assert!(count <= 32);
        for shift in (0..count).rev() {
            self.flag(value >> shift & 1 == 1);
        }
    }

    /// An unsigned Exp-Golomb code.
    pub fn ue(&mut self, value: u32) {
        let code = u64::from(value) + 1;
        let width = 64 - code.leading_zeros();
        for _ in 1..width {
            self.flag(false);
        }
        for shift in (0..width).rev() {
            self.flag(code >> shift & 1 == 1);
        }
    }

    /// A signed Exp-Golomb code.
    pub fn se(&mut self, value: i32) {
        let magnitude = value.unsigned_abs();
        self.ue(if value > 0 {
            magnitude * 2 - 1
        } else {
            magnitude * 2
        });
    }

    /// Copies the bits `from..to` of `data` (positions in bits), whole bytes at
    /// a time where the alignment allows. What lies past the end of `data` is
    /// not there to copy.
    pub fn copy(&mut self, data: &[u8], from: usize, to: usize) {
        let to = to.min(data.len() * 8);
        let mut position = from.min(to);
        while position < to && (!position.is_multiple_of(8) || to - position < 8) {
            self.flag(data[position / 8] >> (7 - position % 8) & 1 == 1);
            position += 1;
        }
        let bytes = (to - position) / 8;
        self.bytes(&data[position / 8..position / 8 + bytes]);
        position += bytes * 8;
        while position < to {
            self.flag(data[position / 8] >> (7 - position % 8) & 1 == 1);
            position += 1;
        }
    }

    /// Whole bytes, shifted when the writer stands inside a byte.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if self.used == 0 {
            self.data.extend_from_slice(bytes);
            return;
        }
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
            return;
        };
        let used = self.used;
        if let Some(open) = self.data.last_mut() {
            *open |= first >> used;
        }
        self.data.reserve(bytes.len());
        let pairs = bytes.iter().zip(&bytes[1..]);
        self.data
            .extend(pairs.map(|(high, low)| high << (8 - used) | low >> used));
        self.data.push(last << (8 - used));
    }

    /// `rbsp_trailing_bits()`: a one, then zeros up to the next byte.
    pub fn trailing(&mut self) {
        self.flag(true);
        self.used = 0;
    }

    /// Fills up the byte with ones: `cabac_alignment_one_bit`.
    pub fn align_with_ones(&mut self) {
        while self.used != 0 {
            self.flag(true);
        }
    }

    /// What was written; an unfinished byte ends in zeros.
    pub fn into_bytes(self) -> Vec<u8> {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_survive_a_round_trip() {
        let mut writer = BitWriter::new();
        let unsigned = [0, 1, 2, 3, 7, 8, 254, 255, 65_535, u32::MAX - 1];
        let signed = [0, 1, -1, 2, -2, 26, -26, i32::MAX / 2, -(i32::MAX / 2)];
        writer.bits(5, 3);
        for value in unsigned {
            writer.ue(value);
        }
        for value in signed {
            writer.se(value);
        }
        writer.trailing();
        let data = writer.into_bytes();
        let mut reader = BitReader::new(&data);
        assert_eq!(reader.bits(3), Ok(5));
        for value in unsigned {
            assert_eq!(reader.ue(), Ok(value));
        }
        for value in signed {
            assert_eq!(reader.se(), Ok(value));
        }
        assert!(!reader.more_rbsp_data());
    }

    #[test]
    fn copying_bits_keeps_them_at_every_alignment() {
        let data: Vec<u8> = (0..32u8).map(|n| n.wrapping_mul(73) ^ 0x5a).collect();
        for lead in 0..8 {
            for from in 0..16 {
                for to in [from, from + 3, from + 64, 250] {
                    let mut writer = BitWriter::new();
                    writer.bits(0, lead);
                    writer.copy(&data, from, to);
                    assert_eq!(writer.position(), lead as usize + to - from);
                    let out = writer.into_bytes();
                    let mut reader = BitReader::new(&out);
                    reader.skip(lead as usize).expect("lead");
                    let mut source = BitReader::new(&data);
                    source.skip(from).expect("from");
                    for _ in from..to {
                        assert_eq!(reader.flag(), source.flag());
                    }
                }
            }
        }
    }

    #[test]
    fn the_end_of_the_data_is_an_error_and_not_a_panic() {
        let mut reader = BitReader::new(&[0]);
        assert!(reader.ue().is_err());
        assert!(BitReader::new(&[]).flag().is_err());
        assert_eq!(stop_bit(&[0, 0]), None);
    }
}
