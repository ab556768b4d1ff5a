//! What the demo says when it is ready.

use std::path::Path;

use super::describe::Described;

/// The welcome text.
pub(super) fn text(described: &Described, data: &Path) -> String {
    let Described { origins, inbox, tenants, .. } = described;
    let app = &origins.app;
    let people: Vec<String> = tenants
        .values()
        .flat_map(|tenant| &tenant.users)
        .map(|user| format!("    {}   password: {}", user.email, user.password))
        .collect();
    let people = people.join("\n");
    let host = origins.https.trim_start_matches("https://");
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let (ca, file) = (data.join(described.ca), data.join(super::describe::FILE));
    let customer = tenants.get("woodgrove-customers").and_then(|tenant| tenant.apps.get("web"));
    let client = customer.map(|app| app.client_id.as_str()).unwrap_or_default();
    format!(
        "\
Vestibule is ready.

  Suppliers   {app}/          choose “Request your supplier account”
  Orders      {app}/orders    the second app, for single sign-on
  Customers   {app}/shop      choose “Create your account”
  Inbox       {inbox}   every mail lands here

  Fabrikam plays the social provider. Its people:
{people}

  Lakeside plays a second one, which speaks as Facebook does; nobody needs a password there.

  The server answers at {http} and, with a development authority, at {https}.
  An MSAL app is pointed at it with

    NODE_EXTRA_CA_CERTS={ca} node app.js
    auth: {{
      clientId: \"{client}\",
      authority: \"{https}/woodgrove-customers\",
      knownAuthorities: [\"{host}\"],
    }}

  All addresses, apps and secrets for scripts: {file}
  Stop with Ctrl+C; the next start keeps what is there.
",
        http = origins.http,
        https = origins.https,
        ca = ca.display(),
        file = file.display(),
    )
}
