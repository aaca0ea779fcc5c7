//! Names of people: what a display shows, and its plain form for addresses.

use crate::sandbox::id::Shuffle;

const GIVEN: &str = "Adele Ahmed Aisha Aiko Alejandra Amara Amélie Anjali Arjun Astrid Beatriz Bilal Björn Camila Chidi Chloé \
    Daniela Darius Demetria Diego Dmitri Ebba Elif Eleni Emeka Emma Esra Fatima Felix Fiona Giulia Grace Hana Henrietta \
    Hiroshi Hugo Ingrid Isabel Ivan Jamal Jana Jin João José Jürgen Kaja Karim Kavita Kenji Kwame Lars Latoya Layla Leila \
    Liam Linh Lucía Luca Mads Magnus Malik Marek Mateo Mei Miriam Mohammed Nadia Naomi Ngozi Niamh Nikolai Noor Olga Omar \
    Paloma Pavel Priya Quentin Rafael Rania Ravi Renée Rosa Samira Sanjay Sean Siobhán Sofia Søren Tariq Thandiwe Tomás \
    Uma Valentina Wei Xiomara Yara Yusuf Zanele Zoë";

const FAMILY: &str = "Abara Adeyemi Al-Farsi Almeida Andersson Banerjee Barzani Bauer Becker Bianchi Björk Bondarenko Brown \
    Castillo Chen Cohen Costa Dąbrowski D'Angelo Das Delgado Dubois Eriksen Estévez Fernández Fischer Fofana Fontaine \
    García Ghosh Goldberg González Gupta Haddad Hansen Hassan Hernández Hoang Hussein Ibrahim Iyer Jansen Jensen Johansson \
    Joshi Kaya Keller Khalil Khan Kim Kowalczyk Kumar Lambert Larsen Lee Lindqvist López Mahlangu Marković Martínez Mbeki \
    Mendes Meyer Mokoena Morales Müller Nakamura Ndiaye Nguyen Novák O'Brien Okafor Okonkwo Olsen Ortiz Öztürk Papadopoulos \
    Park Patel Pereira Petrov Popescu Rahman Reyes Ricci Romano Rossi Santos Sato Schmidt Shah Silva Singh Suzuki Tanaka \
    Van-Dijk Vance Wójcik Yılmaz Zhang";

/// A shown name and the form of it that fits an address.
struct Part {
    shown: &'static str,
    plain: String,
}

/// Gives every person of a tenant a name and an address, both ways.
pub(super) struct Names {
    given: Vec<Part>,
    family: Vec<Part>,
    order: Shuffle,
}

/// The name of one person. People from the 10,001st on share names and have a number in their address.
#[derive(Clone, Copy)]
pub(super) struct Naming<'names> {
    pub(super) given: &'names str,
    pub(super) family: &'names str,
    plain_given: &'names str,
    plain_family: &'names str,
    number: u64,
}

impl Naming<'_> {
    /// `adele.vance`, `adele.vance2`: the part of an address before the `@`.
    pub(super) fn local(&self, separator: char) -> String {
        let Self {
            plain_given,
            plain_family,
            number,
            ..
        } = self;
        match number {
            0 => format!("{plain_given}{separator}{plain_family}"),
            _ => format!("{plain_given}{separator}{plain_family}{}", number + 1),
        }
    }
}

impl Names {
    /// Names for the people `0..people`.
    pub(super) fn new(key: u64, people: u32) -> Self {
        let parts = |list: &'static str| -> Vec<Part> {
            list.split_whitespace()
                .map(|shown| Part {
                    shown,
                    plain: plain(shown),
                })
                .collect()
        };
        let (given, family) = (parts(GIVEN), parts(FAMILY));
        let pairs = as_u64(given.len() * family.len());
        let order = Shuffle::new(key, pairs * u64::from(people).div_ceil(pairs).max(1));
        Self {
            given,
            family,
            order,
        }
    }

    pub(super) fn of(&self, index: u32) -> Naming<'_> {
        let place = self.order.forward(u64::from(index));
        let (families, givens) = (as_u64(self.family.len()), as_u64(self.given.len()));
        let given = &self.given[as_usize(place / families % givens)];
        let family = &self.family[as_usize(place % families)];
        Naming {
            given: given.shown,
            family: family.shown,
            plain_given: &given.plain,
            plain_family: &family.plain,
            number: place / families / givens,
        }
    }

    /// The person whose address starts with `local`, written with either separator.
    pub(super) fn find(&self, local: &str) -> Option<u64> {
        let local = local.to_ascii_lowercase();
        let (given, rest) = local.split_once(['.', '_'])?;
        let family = rest.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let number = match &rest[family.len()..] {
            "" => 0,
            digits if digits.starts_with('0') => return None,
            digits => digits
                .parse::<u32>()
                .ok()?
                .checked_sub(1)
                .filter(|number| *number > 0)?,
        };
        let (families, givens) = (as_u64(self.family.len()), as_u64(self.given.len()));
        let given = as_u64(self.given.iter().position(|part| part.plain == given)?);
        let family = as_u64(self.family.iter().position(|part| part.plain == family)?);
        let place = (u64::from(number) * givens + given) * families + family;
        self.order.contains(place).then(|| self.order.back(place))
    }
}

fn plain(shown: &str) -> String {
    shown.chars().filter_map(fold).collect()
}

/// The letter an address uses for a letter of a name, for the letters that occur above.
fn fold(letter: char) -> Option<char> {
    Some(match letter {
        'á' | 'ã' | 'ą' => 'a',
        'é' | 'ë' => 'e',
        'í' | 'ı' => 'i',
        'ó' | 'ö' | 'ø' | 'Ö' => 'o',
        'ü' | 'ú' => 'u',
        'ć' => 'c',
        'ł' => 'l',
        letter if letter.is_ascii_alphabetic() => letter.to_ascii_lowercase(),
        _ => return None,
    })
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).expect("a usize fits 64 bits")
}

fn as_usize(position: u64) -> usize {
    usize::try_from(position).expect("a position in a list of a hundred names")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn addresses_are_unique_and_lead_back() {
        for people in [1, 100, 25_000] {
            let names = Names::new(1, people);
            let mut seen = HashSet::new();
            for index in 0..people {
                let local = names.of(index).local('.');
                assert_eq!(names.find(&local), Some(u64::from(index)), "{local}");
                assert!(local.is_ascii());
                assert!(seen.insert(local));
            }
        }
    }

    #[test]
    fn plain_forms_do_not_collide() {
        let names = Names::new(1, 1);
        for list in [&names.given, &names.family] {
            let distinct: HashSet<&str> = list.iter().map(|part| part.plain.as_str()).collect();
            assert_eq!(distinct.len(), list.len());
        }
    }
}
