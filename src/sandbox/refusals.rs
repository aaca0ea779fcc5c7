//! The service's refusals, literally: status, code, message. Several calls word the same code differently.
//!
//! Source: Graph docs, "Backup Storage API error responses", read 2026-11-24.

use super::answer::Refusal;

macro_rules! refusals {
    ($($name:ident = $status:literal $code:literal $message:literal;)*) => {
        $(pub(super) const $name: Refusal = Refusal::literal($status, $code, $message);)*
    };
}

// A table reads better than thirty functions of three lines.
refusals! {
    POLICY_ID = 400 "InvalidPolicyId" "Policy ID is invalid.";
    POLICY_NOT_FOUND = 404 "PolicyNotFound" "Unable to get the Protection Policy.";
    POLICY_ID_ABSENT = 400 "InvalidPolicyId" "Policy ID is absent.";
    POLICY_GONE = 404 "PolicyNotFound" "Policy not found.";
    POLICY_CREATE_INVALID = 400 "InvalidCreateRequest" "Can't process the request because it's malformed or incorrect.";
    POLICY_NAME = 400 "InvalidDisplayName" "Please ensure policy name length should be > 0 chars and <= 1024 chars.";
    POLICY_UNIT_ID = 400 "InvalidProtectionUnitId" "Protection Unit ID is invalid.";
    POLICY_TOO_MANY = 413 "ProtectionUnitsLimitBreached" "Number of Protection Units in each request must not exceed 50.";
    POLICY_ANOTHER = 409 "PolicyCreationNotAllowed" "Can't create Policy. Another active Policy already exists.";
    POLICY_UNIT_TAKEN = 409 "ProtectionUnitAlreadyExists" "Artifact ArtifactId is not eligible for protection because it is already protected under policy PolicyId.";
    POLICY_UNIT_TWICE = 400 "DuplicateProtectionUnitInList" "Duplicate Protection Unit in list.";
    POLICY_DELETE_STATE = 403 "PolicyActionNotAllowed" "Can't delete policy. Only policy in Inactive status can be deleted.";
    POLICY_ACTIVATE_STATE = 403 "PolicyActionNotAllowed" "Can't activate policy. The policy isn't in correct state. Make sure the policy is in Inactive state.";
    POLICY_DEACTIVATE_STATE = 403 "PolicyActionNotAllowed" "Policy isn't in correct state. Wait until it moves to the active state.";
    RULE_ID = 400 "InvalidInclusionRuleId" "The rule ID is invalid.";
    RULE_NOT_FOUND = 404 "ProtectionRuleNotFound" "The given rule ID is either incorrect or the rule was deleted.";
    OFFBOARD_STATE = 403 "OperationNotAllowed" "Can't process this request as it is not in valid state.";
    CANCEL_OFFBOARD_STATE = 403 "OperationNotAllowed" "Offboarding cannot be cancelled as it is not in a valid state.";
    APP_OWNER = 400 "InvalidAppOwnerTenantId" "Invalid App owner tenant id received from the user.";
    BILLING = 402 "InvalidBillingProfile" "Invalid billing profile received from the provider.";

    UNITS_FILTER_TOO_LONG = 400 "FilterLengthExceeded" "Filter length exceeds the allowed limit.";
    UNIT_ID = 400 "InvalidProtectionUnitId" "Invalid Protection Unit ID.";

    POINTS_FILTER_TOO_LONG = 400 "FilterLengthExceeded" "Filter length exceeds allowed limit.";
    SEARCH_INVALID = 400 "InvalidSearchRequest" "Restore point input is invalid.";
    SEARCH_UNIT_ID = 400 "InvalidProtectionUnitId" "Invalid Protection unit ID.";

    CREATE_DESTINATION = 400 "InvalidPathType" "Restore path type isn't present.";
    CREATE_EMPTY = 400 "InvalidArtifactRequest" "There should be at least one restore artifact.";
    CREATE_POINT = 400 "InvalidRestorePoint" "Restore Point ID is invalid or empty.";
    CREATE_MIXED = 400 "DifferentRestoreDestinationType" "Different restore destination type.";
    CREATE_TOO_MANY = 413 "RestoreArtifactsLimitBreached" "Restore Artifacts limit is breached.";
    DUPLICATE = 400 "DuplicateArtifactInList" "The restore artifact requested is already present.";

    SESSION_ID = 400 "InvalidRestoreSessionId" "Restore Session ID is absent.";
    SESSION_NOT_FOUND = 404 "RestoreSessionNotFound" "Restore Session Not Found.";
    PATCH_INVALID = 400 "InvalidPatchRequest" "Can't process the request because it's malformed or incorrect.";
    PATCH_POINT = 400 "InvalidRestorePoint" "Restore Point is invalid.";
    PATCH_TOO_MANY = 400 "RestoreArtifactsLimitBreached" "Restore Artifacts limit is breached.";
    PATCH_EMPTY = 400 "InvalidArtifactRequest" "Restore Artifacts are null.";
    PATCH_NOT_DRAFT = 403 "RestoreSessionActionNotAllowed" "Restore session can only be patched in Draft state.";
    CHANGE_NOT_FOUND = 404 "RestoreSessionNotFound" "Unable to get restore session.";
    CHANGE_SESSION_ID = 400 "InvalidRestoreSessionId" "RestoreSessionId is absent.";
    DELETE_NOT_DRAFT = 403 "RestoreSessionActionNotAllowed" "Restore session can only be deleted in Draft state.";
    ACTIVATE_NOT_DRAFT = 403 "RestoreSessionActionNotAllowed" "Restore session can only be activated in Draft state.";
    TOO_MANY_ACTIVE = 500 "TooManyActiveRestoreSessions" "Temporary error: Too many active restore sessions.";
    ARTIFACTS_SESSION_ID = 400 "InvalidRestoreSessionId" "RestoreSession ID is invalid.";

    BULK_ID = 400 "InvalidBulkRestoreArtifactId" "Invalid GUID provided in URI.";
    BULK_INVALID = 400 "BulkRestoreInvalidCreateRequest" "The create request is null or invalid.";
    BULK_TOO_MANY = 400 "BulkRestoreRestorationResourcesCountExceedsLimit" "Input size is too large.";
    BULK_SITE_URL = 400 "BulkRestoreInvalidCreateRequestSiteUrl" "Site URL is null, empty, or in an incorrect format.";
    BULK_EMAIL = 400 "BulkRestoreInvalidCreateRequestUserEmail" "Email is null, empty, or in an incorrect format.";
    BULK_NOT_FOUND = 404 "BulkRestoreArtifactsNotFound" "No restoreArtifactBulkAdditionRequest associated with the provided bulkRestoreArtifactId in the URI.";
    BULK_NOT_ENDED = 403 "InvalidStateForBulkRequestDeletion" "A bulk request can only be deleted when its status is `completed` or `completedWithErrors`.";

    // Not on the error page: general Graph behaviour, and what the service status forbids.
    RESTORE_LOCKED = 403 "Forbidden" "Restore isn't allowed in the current service status.";
    PROTECTION_LOCKED = 403 "Forbidden" "Protection can't be changed in the current service status.";
    NO_SUCH_USER = 404 "Request_ResourceNotFound" "Resource does not exist or one of its queried reference-property objects are not present.";
    NO_SUCH_ITEM = 404 "itemNotFound" "Requested site could not be found";
    NO_DRIVE = 404 "ResourceNotFound" "User's mysite not found.";
    NOT_FOUND = 404 "ResourceNotFound" "The requested resource doesn't exist.";
    NO_TOKEN = 401 "InvalidAuthenticationToken" "Access token is empty.";
    BAD_TOKEN = 401 "InvalidAuthenticationToken" "Access token validation failure.";
    OLD_TOKEN = 401 "InvalidAuthenticationToken" "Lifetime validation failed, the token is expired.";
    NO_PERMISSION = 403 "Authorization_RequestDenied" "Insufficient privileges to complete the operation.";
    WRONG_METHOD = 405 "Request_BadRequest" "Specified HTTP method is not allowed for the request target.";
    FAILED_DEPENDENCY = 424 "FailedDependency" "The request depends on a request that failed.";
    TOO_LARGE = 413 "RequestEntityTooLarge" "The request body is larger than 4 MiB.";
    NOT_JSON = 415 "InvalidRequest" "A request body must be application/json.";
    REQUEST_TIMED_OUT = 408 "RequestTimeout" "The server timed out waiting for the request.";
    THROTTLED = 429 "TooManyRequests" "Too many requests.";
    BROKEN = 500 "InternalServerError" "An internal server error occurred.";
    UNAVAILABLE = 503 "ServiceUnavailable" "The service is temporarily unavailable.";
    TIMED_OUT = 504 "GatewayTimeout" "The gateway did not receive a response in time.";
}

/// Why an artifact of an activated session failed: code and message, inside a 200.
pub(super) type ArtifactError = (&'static str, &'static str);

pub(super) const UNKNOWN_ERROR: ArtifactError = (
    "UnknownError",
    "Unknown error occurred. Please try again. If the issue persists, contact support.",
);
pub(super) const ARTIFACT_NOT_FOUND: ArtifactError = (
    "ArtifactNotFound",
    "The requested restore artifact wasn't found for restore.",
);
pub(super) const INVALID_RESTORE_TIME: ArtifactError = (
    "InvalidRestoreTime",
    "Restore Artifact can't be restored to this timestamp, the restore time provided is invalid or beyond retention period.",
);
pub(super) const CANNOT_BE_RESTORED: ArtifactError = (
    "ArtifactCannotBeRestored",
    "The restore artifact is in an unexpected state such as preservation lock or TenantDivestiture which is blocking the restore.",
);
pub(super) const ALREADY_RESTORING: ArtifactError = (
    "DuplicateArtifactRestoreRequest",
    "An ongoing Restore was found for the given restore artifact. Please wait till its completion and try again.",
);

/// An item in place, where one of its name exists. No page names a code; this is the one of drives.
pub(super) const NAME_EXISTS: ArtifactError = (
    "nameAlreadyExists",
    "An item with the same name already exists under the parent.",
);

/// Shown in the `error` of a bulk request, with the inputs in its details.
pub(super) const NOT_RESOLVED: ArtifactError = (
    "BulkRestoreArtifactsNotResolved",
    "Errors while resolving restore artifacts",
);

/// Shown in the `error` of a unit, inside a 200.
pub(super) const UNIT_NOT_FOUND: ArtifactError = (
    "ProtectionUnitNotFound",
    "Requested Protection Unit either doesn't exist, is deleted, or can't be found. Please recheck the Protection Unit ID and try again.",
);
pub(super) const QUOTA_EXCEEDED: ArtifactError =
    ("QuotaExceeded", "You have exceeded the backup quota.");
