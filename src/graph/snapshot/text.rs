//! The text of a snapshot: mostly numbers, made as fast as memory takes them.

const EIGHT: u64 = 100_000_000;

/// The four digits of each number below ten thousand as text, the first in the lowest byte.
static FOUR: [u32; 10_000] = four_digits();

const fn four_digits() -> [u32; 10_000] {
    let mut table = [0; 10_000];
    let mut at = 0;
    while at < table.len() {
        let (a, b, c, d) = (at / 1000, at / 100 % 10, at / 10 % 10, at % 10);
        table[at] = 0x3030_3030 | (a | b << 8 | c << 16 | d << 24) as u32;
        at += 1;
    }
    table
}

/// The eight digits of a number below [`EIGHT`] as text, the first in the lowest byte, and how
/// many of them are zeros in front. All are made at once, so that nothing depends on how many
/// there are: most of a snapshot is numbers.
#[inline(always)]
fn eight_digits(value: u64) -> (u64, u32) {
    let (upper, lower) = (value / 10_000, value % 10_000);
    let four = |digits: u64| u64::from(FOUR.get(digits as usize).copied().unwrap_or(0));
    let digits = four(upper) | four(lower) << 32;
    // The last digit counts in any case.
    let zeros = ((digits ^ 0x3030_3030_3030_3030) | (1 << 56)).trailing_zeros() / 8;
    (digits, zeros)
}

/// Room that a line of seven numbers has.
const LINE: usize = 192;

/// Text in the making. What is made of it is in front; behind it there is room.
#[derive(Default)]
pub struct Text {
    bytes: Vec<u8>,
    length: usize,
}

impl Text {
    /// Empties it; its memory stays.
    pub fn clear(&mut self) {
        self.length = 0;
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends a line.
    #[inline(always)]
    pub fn line(&mut self, make: impl FnOnce(&mut Line)) {
        if self.bytes.len() < self.length + LINE {
            self.bytes.resize((self.length + LINE) * 2, 0);
        }
        let room = self.bytes.get_mut(self.length..self.length + LINE);
        if let Some(room) = room.and_then(|room| room.try_into().ok()) {
            let mut line = Line { room, length: 0 };
            make(&mut line);
            self.length += line.length;
        }
    }

    /// Text of any length.
    pub fn text(&mut self, text: &[u8]) {
        let end = self.length + text.len();
        if self.bytes.len() < end + LINE {
            self.bytes.resize((end + LINE) * 2, 0);
        }
        self.bytes[self.length..end].copy_from_slice(text);
        self.length = end;
    }
}

/// A line in the making: a few numbers, each written in one piece whatever its length. It knows
/// its place by itself, so that the processor need not ask memory for it byte by byte.
pub struct Line<'t> {
    room: &'t mut [u8; LINE],
    length: usize,
}

impl Line<'_> {
    #[inline(always)]
    pub fn push(&mut self, byte: u8) {
        if let Some(slot) = self.room.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }

    /// The digits but so many in front.
    #[inline(always)]
    fn digits(&mut self, digits: u64, zeros: u32) {
        if let Some(slot) = self.room.get_mut(self.length..self.length + 8) {
            slot.copy_from_slice(&(digits >> (8 * zeros)).to_le_bytes());
            self.length += 8 - zeros as usize;
        }
    }

    #[inline(always)]
    pub fn number(&mut self, value: u64) {
        if value < EIGHT {
            let (digits, zeros) = eight_digits(value);
            self.digits(digits, zeros);
        } else {
            self.large(value);
        }
    }

    #[inline(always)]
    fn large(&mut self, value: u64) {
        match value / EIGHT {
            upper @ 0..EIGHT => {
                let (digits, zeros) = eight_digits(upper);
                self.digits(digits, zeros);
            }
            upper => {
                let (digits, zeros) = eight_digits(upper / EIGHT);
                self.digits(digits, zeros);
                self.digits(eight_digits(upper % EIGHT).0, 0);
            }
        }
        self.digits(eight_digits(value % EIGHT).0, 0);
    }

    #[inline(always)]
    pub fn field(&mut self, value: u64) {
        self.push(b',');
        self.number(value);
    }

    /// A number that is mostly one digit.
    #[inline(always)]
    pub fn small(&mut self, value: u64) {
        match value {
            0..10 => self.push(b'0' + value as u8),
            _ => self.number(value),
        }
    }

    #[inline(always)]
    pub fn signed(&mut self, value: i32) {
        if value < 0 {
            self.push(b'-');
        }
        self.number(u64::from(value.unsigned_abs()));
    }
}

/// JSON as V8 writes it: control characters and all that is not ASCII as `\u` escapes.
pub fn escape(string: &str, out: &mut Text) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let unit = |unit: u16, out: &mut Text| {
        out.text(b"\\u");
        for shift in [12, 8, 4, 0] {
            out.text(&[HEX[usize::from(unit >> shift & 15)]]);
        }
    };
    out.text(b"\"");
    let mut rest = string;
    loop {
        let plain = |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\');
        let run = rest.bytes().take_while(|b| plain(b)).count();
        // What is plain is ASCII: the cut is between characters.
        let (text, special) = rest.split_at(run);
        out.text(text.as_bytes());
        let mut chars = special.chars();
        match chars.next() {
            None => break,
            Some('\u{8}') => out.text(b"\\b"),
            Some('\u{c}') => out.text(b"\\f"),
            Some('\n') => out.text(b"\\n"),
            Some('\r') => out.text(b"\\r"),
            Some('\t') => out.text(b"\\t"),
            Some('"') => out.text(b"\\\""),
            Some('\\') => out.text(b"\\\\"),
            Some(char) => {
                for &mut code in char.encode_utf16(&mut [0; 2]) {
                    unit(code, out);
                }
            }
        }
        rest = chars.as_str();
    }
    out.text(b"\"");
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn numbers_are_written_as_everyone_writes_them() {
        let mut values: Vec<u64> = (0..20).map(|n| 10u64.pow(n)).collect();
        values.extend(
            values
                .clone()
                .iter()
                .flat_map(|v| [v - 1, v / 8 * 9, v / 3 * 2]),
        );
        values.extend((0..100_000u64).map(|n| n * 2_654_435_761 % 100_000_000));
        values.extend([0, 90, 99_999_999, 100_000_000, 1 << 32, u64::MAX]);
        for value in values {
            for small in [false, true] {
                let mut text = Text::default();
                text.line(|line| match small {
                    true => line.small(value),
                    false => line.number(value),
                });
                assert_eq!(text.as_bytes(), value.to_string().as_bytes());
            }
        }
    }
}
