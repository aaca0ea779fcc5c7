//! `sites::`: sites of SharePoint.

use rhai::{ImmutableString, NativeCallContext};

use super::tenant::{plain, stream};
use crate::script::failure::{Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::values::{Kind, Object, Stream};

pub(crate) fn register(library: &mut Library) {
    library.function(
        "sites",
        "search",
        &["text: text", "-> stream of site"],
        "The sites that a text finds, page by page. The directory's index may lag behind.

- Policy class: read. Graph: GET sites. Permission: Sites.Read.All.

```rhai
for site in sites::search(\"Finance\") { print(`${site.displayName} ${site.webUrl}`); }
```",
        |ctx: NativeCallContext, text: ImmutableString| -> Stream {
            let text = text.trim().to_owned();
            let open = move |host: &Host| Ok(vec![host.tenant.directory.search_sites(&text)]);
            stream(&Host::of(&ctx), "sites", open, plain(Kind::of("site"))).at(ctx.call_position())
        },
    );
    library.function(
        "sites",
        "get",
        &["site: URL or id", "-> site"],
        "One site, by its URL as the browser shows it or by its id (`hostname,site collection,web`).

- Throws Graph's code where there is none: `itemNotFound`.
- Policy class: read. Graph: GET sites/{id}. Permission: Sites.Read.All.

```rhai
let site = sites::get(sites::search(\"Finance\").first().webUrl);
print(site.id);
```",
        |ctx: NativeCallContext, name: ImmutableString| -> Raised<Object> {
            let host = Host::of(&ctx);
            let found = host
                .block(host.tenant.directory.site(name.trim()))
                .raise(&ctx)?;
            Ok(Object::new(Kind::of("site"), found))
        },
    );
}
