//! The OpenAPI 3.1 document, made from the declarations.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::{BASE_PATH, Declaration, Method, Permission, Problem, declarations, event};

/// The whole document. Keys are sorted, so equal declarations give equal text.
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|s| s.definitions_path = "/components/schemas".into())
        .into_generator();
    let problem = generator.subschema_for::<Problem>();
    let mut paths = Map::new();
    for declaration in declarations() {
        let path = format!("{BASE_PATH}{}", declaration.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method_word(declaration.method)] = operation(&declaration, &mut generator);
    }
    paths.insert(format!("{BASE_PATH}{}", event::PATH), json!({ "get": event_stream(&mut generator) }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Roadstead",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "responses": {
                "Problem": {
                    "description": "What went wrong (RFC 9457).",
                    "content": { Problem::MEDIA_TYPE: { "schema": problem } },
                },
            },
            "securitySchemes": {
                "api_key": { "type": "http", "scheme": "bearer" },
                "password": { "type": "http", "scheme": "basic" },
            },
        },
    })
}

/// The one path that answers with a stream: each message but the first has an event as its data.
fn event_stream(generator: &mut SchemaGenerator) -> Value {
    let mut operation = operation(&event::declaration(), generator);
    let content = &mut operation["responses"]["200"]["content"];
    *content = json!({ "text/event-stream": content["application/json"].take() });
    operation
}

fn method_word(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

fn operation(declaration: &Declaration, generator: &mut SchemaGenerator) -> Value {
    let mut success = json!({ "description": "Done." });
    if let Some(reply) = declaration.reply {
        success["content"] = json!({ "application/json": { "schema": reply(generator) } });
    }
    let mut operation = json!({
        "operationId": declaration.name,
        "summary": declaration.summary,
        "x-permission": format!("{:?}", declaration.permission).to_lowercase(),
        "parameters": parameters(declaration, generator),
        "responses": {
            declaration.success.to_string(): success,
            "default": { "$ref": "#/components/responses/Problem" },
        },
    });
    if let Some(body) = declaration.body {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": body(generator) } } });
    }
    if declaration.permission != Permission::Public {
        operation["security"] = json!([{ "api_key": [] }, { "password": [] }]);
    }
    operation
}

fn parameters(declaration: &Declaration, generator: &mut SchemaGenerator) -> Vec<Value> {
    let names = declaration.path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names
        .zip(declaration.path_types)
        .map(|(name, kind)| json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind } }))
        .collect();
    if declaration.is_create() {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
            "description": "A name of the caller's for this request. Within 24 hours the same request with the same \
                name makes nothing new, and gets the first one's reply; another request with it gets 422.",
        }));
    }
    if let Some(query) = declaration.query {
        parameters.extend(query_parameters(query(generator).to_value(), generator));
    }
    parameters
}

/// A query is declared as a struct; each of its fields is a parameter of its own.
fn query_parameters(schema: Value, generator: &SchemaGenerator) -> Vec<Value> {
    let name = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()).unwrap_or_default();
    let Some(fields) = generator.definitions().get(name).and_then(|d| d["properties"].as_object()) else {
        return Vec::new();
    };
    fields.iter().map(|(field, schema)| json!({ "name": field, "in": "query", "schema": schema })).collect()
}
