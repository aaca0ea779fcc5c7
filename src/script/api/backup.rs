//! `backup::`: the service itself: its state, policies, apps, and the browse sessions of all workloads.

use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext};

use crate::graph::{Json, Version};
use crate::script::failure::{Failure, Raise as _, Raised};
use crate::script::host::Host;
use crate::script::library::Library;
use crate::script::options::OptionMap;
use crate::script::values::{Kind, Object, Stream};

const STATUS: &str =
    "What Microsoft 365 Backup may do in this tenant now: `status` is `enabled`, `disabled`, \
`protectionChangeLocked` or `restoreLocked`.

- Options: `version`.
- Policy class: read. Graph: GET /. Permission: BackupRestore-Control.Read.All.

```rhai
print(backup::service_status().status);
```";

const POLICIES: &str = "The protection policies of all workloads.

- Options: `version`.
- Policy class: read. Graph: GET protectionPolicies. Permission: BackupRestore-Configuration.Read.All.

```rhai
table(backup::policies(), [\"displayName\", \"status\"]);
```";

const POLICY: &str = "One protection policy by its id.

- Options: `version`.
- Throws Graph's `PolicyNotFound`, `InvalidPolicyId`.
- Policy class: read. Graph: GET protectionPolicies/{id}. Permission: BackupRestore-Configuration.Read.All.

```rhai
for policy in backup::policies() { print(backup::policy(policy.id).retentionSettings); }
```";

const APPS: &str =
    "The apps that are registered to control the service; restores need one that is `active`.

- Options: `version`.
- Policy class: read. Graph: GET serviceApps. Permission: BackupRestore-Control.Read.All.

```rhai
for app in backup::service_apps() { print(`${app.id} ${app.status}`); }
```";

const BROWSE: &str = "The browse sessions of OneDrive and SharePoint together, whoever made them.

- Options: `version`.
- Policy class: read. Graph: GET browseSessions. Permission: BackupRestore-Restore.ReadWrite.All.

```rhai
for session in backup::browse_sessions() { print(`${session.workload} ${session.status}`); }
```";

pub(crate) fn register(library: &mut Library) {
    library.function(
        "backup",
        "service_status",
        &["-> service status"],
        STATUS,
        |ctx: NativeCallContext| status(&ctx, Map::new()),
    );
    library.function(
        "backup",
        "service_status",
        &["options: map", "-> service status"],
        "",
        |ctx: NativeCallContext, options: Map| status(&ctx, options),
    );
    library.function(
        "backup",
        "policies",
        &["-> array of policy"],
        POLICIES,
        |ctx: NativeCallContext| policies(&ctx, Map::new()),
    );
    library.function(
        "backup",
        "policies",
        &["options: map", "-> array of policy"],
        "",
        |ctx: NativeCallContext, options: Map| policies(&ctx, options),
    );
    library.function(
        "backup",
        "policy",
        &["id: text", "-> policy"],
        POLICY,
        |ctx: NativeCallContext, id: ImmutableString| policy(&ctx, &id, Map::new()),
    );
    library.function(
        "backup",
        "policy",
        &["id: text", "options: map", "-> policy"],
        "",
        |ctx: NativeCallContext, id: ImmutableString, options: Map| policy(&ctx, &id, options),
    );
    library.function(
        "backup",
        "service_apps",
        &["-> array of service app"],
        APPS,
        |ctx: NativeCallContext| apps(&ctx, Map::new()),
    );
    library.function(
        "backup",
        "service_apps",
        &["options: map", "-> array of service app"],
        "",
        |ctx: NativeCallContext, options: Map| apps(&ctx, options),
    );
    library.function(
        "backup",
        "browse_sessions",
        &["-> stream of browse session"],
        BROWSE,
        |ctx: NativeCallContext| -> Raised<Stream> {
            super::browse::sessions(&ctx, None, Map::new())
        },
    );
    library.function(
        "backup",
        "browse_sessions",
        &["options: map", "-> stream of browse session"],
        "",
        |ctx: NativeCallContext, options: Map| super::browse::sessions(&ctx, None, options),
    );
}

/// The one option that all of them have.
fn version(options: Map) -> Result<Option<Version>, Failure> {
    OptionMap::read(options, &["version"])?.version()
}

fn objects(kind: &str, all: Vec<Json>) -> Array {
    let kind = Kind::of(kind);
    let object = |json| Dynamic::from(Object::new(kind, json));
    all.into_iter().map(object).collect()
}

fn status(ctx: &NativeCallContext, options: Map) -> Raised<Object> {
    let host = Host::of(ctx);
    let version = version(options).raise(ctx)?;
    let status = host
        .block(host.tenant.backup.service_status(version))
        .raise(ctx)?;
    Ok(Object::exact(Kind::of("serviceStatus"), status))
}

fn policies(ctx: &NativeCallContext, options: Map) -> Raised<Array> {
    let host = Host::of(ctx);
    let version = version(options).raise(ctx)?;
    let all = host
        .block(host.tenant.backup.policies(version))
        .raise(ctx)?;
    Ok(objects("protectionPolicyBase", all))
}

fn policy(ctx: &NativeCallContext, id: &str, options: Map) -> Raised<Object> {
    let host = Host::of(ctx);
    let version = version(options).raise(ctx)?;
    let found = host.tenant.backup.policy(id.trim(), version);
    let policy = host.block(found).raise(ctx)?;
    Ok(Object::new(Kind::of("protectionPolicyBase"), policy))
}

fn apps(ctx: &NativeCallContext, options: Map) -> Raised<Array> {
    let host = Host::of(ctx);
    let version = version(options).raise(ctx)?;
    let all = host
        .block(host.tenant.backup.service_apps(version))
        .raise(ctx)?;
    Ok(objects("serviceApp", all))
}
