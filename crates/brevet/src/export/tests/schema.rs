//! What version 1.8.0 of the Open Cybersecurity Schema Framework asks of the classes that Brevet writes: the
//! attributes that it requires, those that it knows, and the numbers of activities. Taken down by hand from
//! github.com/ocsf/ocsf-schema at tag 1.8.0 (`events/base_event.json`, `events/iam/*.json`,
//! `events/application/api_activity.json`, `objects/*.json`).

use serde_json::Value;

/// A class: number, highest activity, what it requires and what it knows, beyond what every event has.
struct Class {
    uid: u64,
    activities: u64,
    requires: &'static [&'static str],
    knows: &'static [&'static str],
}

/// `base_event`, and of its profiles none.
const EVERY: [&str; 7] =
    ["activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"];
const EVERY_KNOWS: [&str; 14] = [
    "activity_name",
    "category_name",
    "class_name",
    "type_name",
    "severity",
    "status",
    "status_id",
    "status_code",
    "status_detail",
    "message",
    "unmapped",
    "actor",
    "src_endpoint",
    "raw_data",
];

const CLASSES: [Class; 7] = [
    Class { uid: 3001, activities: 12, requires: &["user"], knows: &["user_result", "policies"] },
    Class {
        uid: 3002,
        activities: 7,
        requires: &["user"],
        knows: &["service", "dst_endpoint", "session", "is_mfa", "is_remote"],
    },
    Class {
        uid: 3003,
        activities: 2,
        requires: &["user"],
        knows: &["privileges", "group", "session", "dst_endpoint"],
    },
    Class { uid: 3004, activities: 13, requires: &["entity"], knows: &["entity_result", "comment"] },
    Class { uid: 3005, activities: 2, requires: &["user", "privileges"], knows: &["resource", "resources"] },
    Class {
        uid: 3006,
        activities: 8,
        requires: &["group"],
        knows: &["privileges", "resource", "subgroup", "user"],
    },
    Class {
        uid: 6003,
        activities: 4,
        requires: &["actor", "api", "src_endpoint"],
        knows: &["resources", "dst_endpoint", "http_request"],
    },
];

/// An object: what it requires, of what it needs one at least, and all that Brevet may write of it.
struct Object {
    requires: &'static [&'static str],
    one_of: &'static [&'static str],
    knows: &'static [&'static str],
}

const USER: Object = Object {
    requires: &[],
    one_of: &["account", "name", "uid"],
    knows: &["name", "uid", "type", "type_id", "full_name", "email_addr", "groups", "domain"],
};
const METADATA: Object = Object {
    requires: &["product", "version"],
    one_of: &["version"],
    knows: &[
        "product",
        "version",
        "uid",
        "sequence",
        "event_code",
        "log_name",
        "log_provider",
        "log_version",
        "original_time",
        "correlation_uid",
    ],
};
const PRODUCT: Object =
    Object { requires: &[], one_of: &["name", "uid"], knows: &["name", "uid", "vendor_name", "version"] };
const ACTOR: Object = Object {
    requires: &[],
    one_of: &["process", "user", "invoked_by", "session", "app_name", "app_uid"],
    knows: &["user", "session", "authorizations", "app_name", "app_uid", "invoked_by", "process", "idp"],
};
const ENDPOINT: Object = Object {
    requires: &[],
    one_of: &[
        "ip",
        "uid",
        "name",
        "hostname",
        "svc_name",
        "instance_uid",
        "interface_uid",
        "interface_name",
        "domain",
    ],
    knows: &["ip", "uid", "name", "hostname", "svc_name", "port", "domain"],
};
const API: Object = Object {
    requires: &["operation"],
    one_of: &["operation"],
    knows: &["operation", "request", "response", "service", "version", "group"],
};
const REQUEST: Object =
    Object { requires: &["uid"], one_of: &["uid"], knows: &["uid", "data", "flags", "containers"] };
const ENTITY: Object = Object {
    requires: &[],
    one_of: &["name", "uid", "device", "group", "org", "policy", "user"],
    knows: &["name", "uid", "type", "type_id", "policy", "data", "version", "group", "user"],
};
const POLICY: Object = Object {
    requires: &[],
    one_of: &["name", "type", "uid"],
    knows: &["name", "uid", "version", "type", "desc", "is_applied", "group", "data"],
};
const NAMED: Object = Object {
    requires: &[],
    one_of: &["name", "uid"],
    knows: &["name", "uid", "desc", "type", "version", "privileges"],
};
const SESSION: Object = Object {
    requires: &[],
    one_of: &["uid"],
    knows: &["uid", "created_time", "expiration_time", "issuer", "is_remote"],
};
const AUTHORIZATION: Object = Object { requires: &[], one_of: &["decision"], knows: &["decision", "policy"] };

/// What is wrong with an event.
pub(super) fn problems(event: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let number = |name: &str| event[name].as_u64().unwrap_or(u64::MAX);
    let Some(class) = CLASSES.iter().find(|class| class.uid == number("class_uid")) else {
        return vec![format!("no class {}", event["class_uid"])];
    };
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    for name in EVERY.iter().chain(class.requires) {
        expect(event.get(name).is_some_and(|value| !value.is_null()), &format!("{name} is required"));
    }
    let known = |name: &str| {
        [&EVERY[..], &EVERY_KNOWS[..], class.requires, class.knows].iter().any(|names| names.contains(&name))
    };
    for name in event.as_object().unwrap().keys() {
        expect(known(name), &format!("{name} is not known to class {}", class.uid));
    }
    let activity = number("activity_id");
    expect((1..=class.activities).contains(&activity) || activity == 99, "no such activity");
    expect(number("type_uid") == class.uid * 100 + activity, "type_uid is of the class and the activity");
    expect(number("category_uid") == class.uid / 1_000, "category_uid is that of the class");
    expect((1..=6).contains(&number("severity_id")), "no such severity");
    expect([0, 1, 2, 99].contains(&number("status_id")), "no such status");
    expect(event["time"].as_i64().is_some_and(|time| time > 1_000_000_000_000), "time is in milliseconds");
    if class.uid == 3002 {
        expect(
            event.get("service").is_some() || event.get("dst_endpoint").is_some(),
            "service or dst_endpoint",
        );
    }
    if class.uid == 3003 {
        expect(
            event.get("privileges").is_some() != event.get("group").is_some(),
            "just one of privileges and group",
        );
    }
    if let Some(privileges) = event.get("privileges") {
        let is_list =
            privileges.as_array().is_some_and(|list| list.iter().all(Value::is_string) && !list.is_empty());
        expect(is_list, "privileges are texts");
    }
    found.extend(objects(event));
    found
}

fn objects(event: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let places = [
        ("/metadata", &METADATA),
        ("/metadata/product", &PRODUCT),
        ("/actor", &ACTOR),
        ("/actor/user", &USER),
        ("/actor/session", &SESSION),
        ("/actor/authorizations/0", &AUTHORIZATION),
        ("/actor/authorizations/0/policy", &POLICY),
        ("/src_endpoint", &ENDPOINT),
        ("/user", &USER),
        ("/session", &SESSION),
        ("/service", &NAMED),
        ("/group", &NAMED),
        ("/resource", &NAMED),
        ("/resources/0", &NAMED),
        ("/entity", &ENTITY),
        ("/entity/policy", &POLICY),
        ("/api", &API),
        ("/api/request", &REQUEST),
        ("/api/service", &NAMED),
    ];
    for (place, object) in places {
        let Some(value) = event.pointer(place) else { continue };
        let fields = value.as_object().unwrap_or_else(|| panic!("{place} is no object"));
        let missing = object.requires.iter().filter(|name| !fields.contains_key(**name));
        found.extend(missing.map(|name| format!("{place} requires {name}")));
        if !object.one_of.iter().any(|name| fields.contains_key(*name)) {
            found.push(format!("{place} has none of {:?}", object.one_of));
        }
        let unknown = fields.keys().filter(|name| !object.knows.contains(&name.as_str()));
        found.extend(unknown.map(|name| format!("{place} does not know {name}")));
    }
    if let Some(ip) = event.pointer("/src_endpoint/ip").and_then(Value::as_str)
        && ip.parse::<std::net::IpAddr>().is_err()
    {
        found.push(format!("{ip} is no address"));
    }
    found
}
