### The trial of a provider: what it will do, and what came of it. Only whoever configures the provider sees these
### pages. A title is at most 40 characters and the provider's name, a sentence at most 240.

## The link

# Heading. $provider: name of the provider.
trial-title = Test signing in with { $provider }
# Below it.
trial-lead = You go to { $provider }, sign in there with an account of your own, and come back to a report.
# What is to be known before. The first of three lines.
trial-term-same = All checks of a real sign-in are made.
# The second line.
trial-term-nothing = Nobody is signed in here, no account is made, and nothing is stored.
# The third line. $provider: name of the provider.
trial-term-shown = The report shows what { $provider } says of that account, in this browser only.
# The button. $provider: name of the provider.
trial-go = Continue to { $provider }
# In front of the address that must be registered at the provider.
trial-register = Register at the provider, to the letter
# In front of the time when the link ends.
trial-until = The link is good until
# Instead of the button. $provider: name of the provider.
trial-off = { $provider } is switched off, so nobody can sign in with it. Leave isEnabled out of its section, apply the file, and open the link again.
# Error: the link is not ours, or is for another provider.
fault-trial-link = This is not a link to test a provider, or a part of it is missing. Copy the whole line that “vestibule provider test --browser” printed.
# Error: the link's time is over.
fault-trial-expired = The link to test the provider was good for 15 minutes. Run “vestibule provider test --browser” for a new one.
# Error: the answer came in another browser, or once more.
fault-trial-browser = This answer belongs to a test in another browser, or its report was shown already. Open the link once more to test again.

## The report

# Heading. $provider: name of the provider.
trial-well-title = Signing in with { $provider } works
# Below it.
trial-well-lead = Every step of a sign-in went well. Nobody was signed in, and nothing was stored.
# Heading. $provider: name of the provider.
trial-failed-title = Signing in with { $provider } fails
# Below it.
trial-failed-lead = One step stands in the way. Mend it, apply the file, and test again. Nobody was signed in, and nothing was stored.
# Heading. $provider: name of the provider.
trial-off-title = { $provider } is switched off
# Next to the name of a step: how it ended.
trial-verdict-ok = ok
# See trial-verdict-ok.
trial-verdict-warning = look at this
# See trial-verdict-ok.
trial-verdict-failed = failed
# See trial-verdict-ok.
trial-verdict-open = not reached
# In front of what the provider, or a part of ours, said.
trial-said = Said:
# Link.
trial-again = Test again

## Steps: a name, and what is said when it went well

# What the provider publishes.
trial-discovery = Discovery document
# See trial-discovery.
trial-discovery-ok = The provider publishes its addresses, and is who the configuration says.
# A request that is sent ahead.
trial-pushed = Pushed request
# See trial-pushed.
trial-pushed-ok = The provider took the request.
# What the browser came back with.
trial-answer = Way back
# See trial-answer.
trial-answer-ok = You came back with a code: the provider knows the client and its redirect address.
# The code becomes tokens.
trial-token = Code for tokens
# See trial-token.
trial-token-ok = The provider believes that we are the client, and gave tokens for the code.
# The ID token is checked.
trial-id-token = ID token
# See trial-id-token.
trial-id-token-ok = Signature, issuer, audience, nonce and times are right.
# Who holds the access token.
trial-user-info = User info
# See trial-user-info.
trial-user-info-ok = The provider says who holds the access token.
# Whom the access token is for.
trial-token-check = Token check
# See trial-token-check.
trial-token-check-ok = The access token was made for this client, and for this person.
# The list of addresses.
trial-addresses = List of addresses
# See trial-addresses.
trial-addresses-ok = The provider says which addresses are proven.
# What tells the person apart.
trial-identity = Who it is
# $address: the address that the provider says.
trial-identity-believed = { $address } is believed, and no code is sent.
# $address: the address that the provider says.
trial-identity-unproven = { $address } is not believed: a code proves it at sign-up.
# $scope: what is asked for.
trial-identity-no-address = No address is told, so it is asked for and a code proves it. If there should be one, permit it at the provider and look at scope; asked for is “{ $scope }”.
# The flows that offer the provider.
trial-flows = Flows
# $flows: names in quotation marks.
trial-flows-ok = Offered by { $flows }.
# $provider: the provider's id.
trial-flows-none = No flow names the provider, so no page offers it. Write { $provider } into identityProviders of a flow.

## What went wrong, and what to do

# A secret or key of ours.
trial-ours = Our own configuration, secret or key cannot be used. Apply the tenant's file once more.
# The discovery document.
trial-discovery-failed = What the provider publishes about itself cannot be read or used. Compare issuer with what the provider shows; “vestibule provider test” goes through names, certificates and the document one by one.
# The person said no, or the provider did.
trial-declined = You said no at the provider, or it does not let this account in. While an app is not published, many providers admit only the accounts that are listed as testers.
# The browser came back without anything.
trial-answer-empty = The provider sent you back with neither a code nor an error. Look whether the client is a web application with the authorization code flow.
# RFC 9207.
trial-answer-issuer = The answer does not say that it is this provider's (iss). Compare issuer with what the provider shows.
# No answer at all.
trial-unreachable = The provider's server gives no answer, or its certificate is not trusted. “vestibule provider test” says which; look also at outbound.allow_networks and outbound.ca_files.
# $status: of HTTP.
trial-nothing-there = There is nothing at this address: it answered { $status }. Correct the address.
# $status: of HTTP.
trial-broken = The provider's server answered { $status }. Try again later, or ask whoever runs the provider.
# The provider says that it is its own fault.
trial-their-fault = The provider has a problem of its own. Try again later, or ask whoever runs it.
# An answer that is not refused and of no use.
trial-token-incomplete = The answer lacks a token that is needed. For an ID token, openid must be in scope; for a bound token, the provider must know DPoP.
# Anything else.
trial-refused = The provider refuses the request. What it said stands below; look it up in the provider's own documentation.
# The client was accepted, and the code was not.
trial-code = The provider does not take the code. It was used or is too old, the clocks differ, or the redirect address is another one than { $uri }.
# $uri: ours.
trial-redirect = The provider does not know our redirect address. Register { $uri } there, to the letter.
# $scope: what is asked for.
trial-scope = The provider does not give out the scope “{ $scope }”. Permit it there, or ask for less with scope.
# $client: the client id.
trial-client = The provider does not know the client “{ $client }”. Compare clientId.
# The kind of the client.
trial-not-permitted = The provider does not permit this client to ask for codes. Register it as a web application with the authorization code flow.
# $other: the other way to show the secret.
trial-not-we-secret = The client id or the secret is wrong, or the secret expired. Compare clientId, write the secret's value (not its id) anew and apply the file. If both are right, the provider may want clientAuthentication: { $other }.
# See trial-not-we-secret.
trial-not-we-apple = The client id or the key is wrong. Compare clientId, teamId and keyId with what Apple shows, and make sure that clientKey is the .p8 file of that key.
# See trial-not-we-secret.
trial-not-we-jwt = The client id or the secret is wrong, or the provider takes no client_secret_jwt.
# See trial-not-we-secret. $keys: address of our keys.
trial-not-we-key = The client id is wrong, or the provider does not know our key. Have it read { $keys }, and look whether our clocks differ.
# See trial-not-we-secret.
trial-not-we-none = The provider wants a secret, or does not know the client id. Set clientSecret.
# The account is of an organisation that is not welcome.
trial-organisation = The account is of an organisation that the configuration does not let in. Look at tenants or hostedDomain, or sign in with another account.
# $time: ours.
trial-clock = By our clock the ID token is expired or not good yet. It is { $time } here; have both clocks set by NTP.
# Nonce.
trial-nonce = The ID token is of another sign-in (nonce). Ask whoever runs the provider whether it sends nonce back.
# $client: the client id.
trial-audience = The ID token is for another client than “{ $client }”. Compare clientId.
# $issuer: what is configured.
trial-issuer = The ID token is of another issuer than { $issuer }. Write issuer as the provider writes it.
# Signature.
trial-signature = No key that the provider publishes checks the ID token's signature. Look at signingAlgorithms and at the provider's keys; “vestibule provider test” tells which can be used.
# Anything else about the ID token.
trial-id-token-failed = The ID token cannot be believed. Below stands why.
# $scope: what is asked for.
trial-not-told = The provider does not say this to us. A permission is missing: grant it there, or add it to scope; asked for is “{ $scope }”.
# Anything else about who holds the access token.
trial-resource-failed = What the provider says of the account cannot be used. Below stands why.
# Nothing tells the person apart.
trial-identity-failed = The provider names nothing that tells the person apart. Map sub to a claim that every account has and that never changes.

## What the account would get

# Heading.
trial-person = Who this would be
# In front of the subject.
trial-subject = Subject
# In front of the issuer.
trial-issuer-of = Issuer
# Heading.
trial-attributes = What each attribute would become
# Instead of the table.
trial-attributes-none = The mapping names no attribute.
# Heads of the table's columns.
trial-column-attribute = Attribute
# See trial-column-attribute.
trial-column-value = Becomes
# See trial-column-attribute.
trial-column-why = Why
# Instead of a value.
trial-no-value = nothing
# Why. $claims: names.
trial-why-id-token = From { $claims } in the ID token.
# Why. $claims: names.
trial-why-user-info = From { $claims } of the user info endpoint.
# Why. $claims: names.
trial-why-both = From { $claims } in the ID token and of the user info endpoint.
# Why.
trial-why-constant = A constant of the configuration.
# Why there is nothing. $claims: names.
trial-why-missing = Not there: { $claims }.
# Why there is nothing. $claim: a name.
trial-why-not-readable = { $claim } is neither a text nor a number nor true or false.
# Why there is nothing.
trial-why-nothing = Nothing is left after it was split, or it is too long.
# What becomes of it. $flow: a name.
trial-kept = Kept by “{ $flow }”.
# What becomes of it. $flow: a name.
trial-kept-as = Kept by “{ $flow }” as { $value }.
# What becomes of it. $flow: a name.
trial-kept-not = “{ $flow }” cannot keep this value, and asks for another.
# What becomes of it. $flow: a name.
trial-kept-asked = “{ $flow }” asks for it.
# What becomes of it.
trial-kept-nowhere = No flow with this provider asks for it, so it is not kept.
# What becomes of it at later sign-ins.
trial-update-never = Later sign-ins leave it as it is.
# See trial-update-never.
trial-update-when-empty = Later sign-ins take it over while there is none.
# See trial-update-never.
trial-update-always = Every sign-in takes it over.
