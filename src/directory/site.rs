//! Sites: by search, by URL, by id; all of them.

use std::collections::HashMap;

use url::Url;

use super::{Directory, DirectoryError, segment, with_query};
use crate::graph::{Call, Json, Pages};

/// What identifies a site to us, read out of a site object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// `hostname,site collection,web`.
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) url: Option<String>,
}

impl Site {
    /// `None` where the object has no id.
    pub(crate) fn of(site: &Json) -> Option<Self> {
        let text = |name: &str| site.string(name).filter(|text| !text.is_empty());
        Some(Self {
            id: text("id")?,
            name: text("displayName").or_else(|| text("name")),
            url: text("webUrl"),
        })
    }
}

/// A site's URL in the form in which two spellings of it are the same; `None` where the text is no https URL.
pub(crate) fn site_url(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok()?;
    let host = url.host_str().filter(|_| url.scheme() == "https")?;
    Some(format!("{host}{}", url.path().trim_end_matches('/')).to_lowercase())
}

impl Directory {
    /// The sites that a text finds.
    pub(crate) fn search_sites(&self, text: &str) -> Pages {
        let path = with_query("/sites", &[("search", text)]);
        self.client.pages(Call::get("search sites", path))
    }

    /// A site by its URL, or by its id `hostname,site collection,web`.
    ///
    /// # Errors
    /// [`DirectoryError::NoSite`].
    pub(crate) async fn site(&self, name: &str) -> Result<Json, DirectoryError> {
        let path = site_path(name);
        match self.client.read(Call::get("get site", path)).await {
            Ok(answer) => Ok(answer.json()),
            // An id or a URL that cannot be one is refused with a 400.
            Err(error) if matches!(error.status(), Some(400 | 404)) => {
                Err(DirectoryError::NoSite {
                    name: name.to_owned(),
                    answer: Box::new(error),
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All sites, those of people (OneDrives) among them.
    ///
    /// Only an app of its own may list them; for a signed-in user a search for everything is the nearest thing.
    pub(crate) async fn all_sites(&self) -> Result<Sites, DirectoryError> {
        let mut pages = self
            .client
            .pages(Call::get("list sites", "/sites/getAllSites"));
        match pages.next().await {
            Some(Err(error)) if matches!(error.status(), Some(400 | 403 | 404)) => Ok(Sites {
                first: None,
                pages: self.search_sites("*"),
            }),
            Some(page) => Ok(Sites {
                first: Some(page?),
                pages,
            }),
            None => Ok(Sites { first: None, pages }),
        }
    }

    /// Every site by its lower-case id, listed once per run.
    pub(crate) async fn site_book(&self) -> Result<&HashMap<String, Site>, DirectoryError> {
        self.sites
            .get_or_try_init(|| async {
                let mut all = HashMap::new();
                let mut sites = self.all_sites().await?;
                while let Some(page) = sites.next().await? {
                    let sites = page.iter().filter_map(Site::of);
                    all.extend(sites.map(|site| (site.id.to_ascii_lowercase(), site)));
                }
                Ok(all)
            })
            .await
    }
}

/// Pages of sites, the first of which has been read.
pub(crate) struct Sites {
    first: Option<Vec<Json>>,
    pages: Pages,
}

impl Sites {
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Json>>, DirectoryError> {
        match self.first.take() {
            Some(page) => Ok(Some(page)),
            None => Ok(self.pages.next().await.transpose()?),
        }
    }
}

/// `https://contoso.sharepoint.com/sites/x` is asked for as `contoso.sharepoint.com:/sites/x`, the root as its host alone.
fn site_path(name: &str) -> String {
    let Some(url) = Url::parse(name.trim())
        .ok()
        .filter(|url| url.has_host() && matches!(url.scheme(), "https" | "http"))
    else {
        // The commas of an id are part of it.
        return format!("/sites/{}", segment(name.trim()).replace("%2C", ","));
    };
    let host = url.host_str().unwrap_or_default();
    match url.path().trim_end_matches('/') {
        "" => format!("/sites/{host}"),
        path => format!("/sites/{host}:{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_asked_for_by_host_and_path_or_by_id() {
        for (name, path) in [
            (
                "https://contoso.sharepoint.com/sites/Finance/",
                "/sites/contoso.sharepoint.com:/sites/Finance",
            ),
            (
                "https://contoso.sharepoint.com",
                "/sites/contoso.sharepoint.com",
            ),
            (
                "https://contoso.sharepoint.com/sites/Über uns",
                "/sites/contoso.sharepoint.com:/sites/%C3%9Cber%20uns",
            ),
            (
                "contoso.sharepoint.com,da60e844-ba1d-49bc-b4d4-d5e36bae9019,0271110f-634f-4300-a841-3a8a2e851852",
                "/sites/contoso.sharepoint.com,da60e844-ba1d-49bc-b4d4-d5e36bae9019,0271110f-634f-4300-a841-3a8a2e851852",
            ),
            ("a/../b", "/sites/a%2F..%2Fb"),
        ] {
            assert_eq!(site_path(name), path);
        }
    }

    #[test]
    fn two_spellings_of_a_url_are_one_site() {
        let plain = site_url("https://Contoso.sharepoint.com/sites/Finance/");
        assert_eq!(
            plain.as_deref(),
            Some("contoso.sharepoint.com/sites/finance")
        );
        assert_eq!(
            plain,
            site_url(" https://contoso.sharepoint.com/Sites/finance")
        );
        assert_eq!(site_url("http://contoso.sharepoint.com"), None);
        assert_eq!(site_url("finance"), None);
    }
}
