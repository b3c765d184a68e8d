//! `Date`: a moment as the `Date` field says it. No clock here: the caller brings the seconds.

use core::fmt;

/// An IMF-fixdate (RFC 9110 §5.6.7): 29 bytes, in GMT.
///
/// ```
/// use longwire_handshake::Date;
///
/// assert_eq!(Date::from_unix(784_111_777).as_str(), "Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Date([u8; 29]);

const SECONDS_PER_DAY: u64 = 86_400;
/// 9999-12-31 23:59:59: the format has four digits for the year.
const LAST_SECOND: u64 = 253_402_300_799;

impl Date {
    /// The date of so many seconds after 1970-01-01 00:00:00 GMT; after the year 9999 it stands still.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Self {
        let seconds = seconds.min(LAST_SECOND);
        let (days, second) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        let (year, month, day) = civil(days);
        let mut date = *b"Thu, 01 Jan 1970 00:00:00 GMT";
        let mut put = |at: usize, text: &[u8]| {
            for (place, byte) in date.iter_mut().skip(at).zip(text) {
                *place = *byte;
            }
        };
        // 1970-01-01 was a Thursday.
        put(0, word(b"ThuFriSatSunMonTueWed", days % 7));
        put(5, &two_digits(day));
        put(8, word(b"JanFebMarAprMayJunJulAugSepOctNovDec", month));
        put(12, &two_digits(year / 100));
        put(14, &two_digits(year));
        put(17, &two_digits(second / 3600));
        put(20, &two_digits(second / 60 % 60));
        put(23, &two_digits(second % 60));
        Self(date)
    }

    /// The 29 bytes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Year, month (from 0) and day (from 1) of a day after 1970-01-01, in the Gregorian calendar.
///
/// Counted from 1 March of the year 0, the leap day is the last of its year, and months come in fives of 153 days.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let january_begins = if month >= 10 { 1 } else { 0 };
    (era * 400 + year_of_era + january_begins, (month + 2) % 12, day)
}

/// The `index`th word of three letters.
fn word(words: &[u8], index: u64) -> &[u8] {
    words.chunks(3).zip(0..).find(|(_, at)| *at == index).map_or(b"", |(word, _)| word)
}

/// The last two digits of a number.
const fn two_digits(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
