//! Today's regions, and what Mist.io's clients called some of them.
//!
//! Source: <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>.

use crate::error::{Error, Result};

/// The region where none is named.
pub(super) const DEFAULT: &str = "us-east-1";

/// The old clients' regions, and today's names of them.
const ALIASES: [(&str, &str); 8] = [
    ("ec2_ap_northeast", "ap-northeast-1"),
    ("ec2_ap_southeast", "ap-southeast-1"),
    ("ec2_ap_southeast_2", "ap-southeast-2"),
    ("ec2_eu_west", "eu-west-1"),
    ("ec2_sa_east", "sa-east-1"),
    ("ec2_us_east", "us-east-1"),
    ("ec2_us_west", "us-west-1"),
    ("ec2_us_west_oregon", "us-west-2"),
];

/// Today's regions: id and place.
pub(crate) const TODAY: &[(&str, &str)] = &[
    ("us-east-1", "N. Virginia"),
    ("us-east-2", "Ohio"),
    ("us-west-1", "N. California"),
    ("us-west-2", "Oregon"),
    ("af-south-1", "Cape Town"),
    ("ap-east-1", "Hong Kong"),
    ("ap-east-2", "Taipei"),
    ("ap-northeast-1", "Tokyo"),
    ("ap-northeast-2", "Seoul"),
    ("ap-northeast-3", "Osaka"),
    ("ap-south-1", "Mumbai"),
    ("ap-south-2", "Hyderabad"),
    ("ap-southeast-1", "Singapore"),
    ("ap-southeast-2", "Sydney"),
    ("ap-southeast-3", "Jakarta"),
    ("ap-southeast-4", "Melbourne"),
    ("ap-southeast-5", "Malaysia"),
    ("ap-southeast-6", "New Zealand"),
    ("ap-southeast-7", "Thailand"),
    ("ca-central-1", "Central Canada"),
    ("ca-west-1", "Calgary"),
    ("eu-central-1", "Frankfurt"),
    ("eu-central-2", "Zurich"),
    ("eu-north-1", "Stockholm"),
    ("eu-south-1", "Milan"),
    ("eu-south-2", "Spain"),
    ("eu-west-1", "Ireland"),
    ("eu-west-2", "London"),
    ("eu-west-3", "Paris"),
    ("il-central-1", "Tel Aviv"),
    ("me-central-1", "UAE"),
    ("me-south-1", "Bahrain"),
    ("mx-central-1", "Mexico"),
    ("sa-east-1", "Sao Paulo"),
];

/// The name by which the service knows a region.
///
/// A region that is not in the list is taken as it is, for Amazon opens new ones; but it becomes part of a host name,
/// so it has to look like one.
///
/// Errors: [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) on `region`.
pub(super) fn name(given: Option<&str>) -> Result<&str> {
    let Some(given) = given else { return Ok(DEFAULT) };
    let alias = ALIASES.iter().find(|(alias, _)| *alias == given);
    let name = alias.map_or(given, |(_, today)| today);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let looks_right = (5..=32).contains(&name.len()) && name.bytes().all(fits) && name.contains('-');
    looks_right
        .then_some(name)
        .ok_or_else(|| Error::invalid("region", "is none of Amazon's, such as eu-west-1"))
}

/// The host of the service in a region.
pub(super) fn host(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("ec2.{region}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::{ALIASES, TODAY, host, name};

    #[test]
    fn old_names_lead_to_todays_and_nonsense_to_nothing() {
        assert_eq!(name(Some("ec2_us_west_oregon")).unwrap(), "us-west-2");
        assert_eq!(name(Some("xx-new-1")).unwrap(), "xx-new-1");
        assert_eq!(name(None).unwrap(), "us-east-1");
        assert!(ALIASES.iter().all(|(_, today)| TODAY.iter().any(|(id, _)| id == today)));
        for odd in ["", "ec2_moon", "a.evil.example", "us-east-1/", "US-EAST-1", "-"] {
            assert_eq!(name(Some(odd)).unwrap_err().field(), Some("region"), "{odd}");
        }
        assert_eq!(host("cn-north-1"), "ec2.cn-north-1.amazonaws.com.cn");
    }
}
