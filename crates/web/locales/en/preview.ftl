### The preview of a flow: the bar above its pages, and the page at the end. Only people who make a flow see
### them. A label is at most 30 characters, a sentence at most 160.

# The name of the language of this file, in that language.
language-name = English

## The bar

# The name of the bar, as a badge in front of it.
preview-label = Preview
# Next to it. $flow: the flow's name.
preview-nothing-stored = { $flow }: nothing is stored or sent.
# Who the invented visitor is. $name, $address: invented.
preview-who-newcomer = You are { $name } ({ $address }), who has no account.
# See preview-who-newcomer.
preview-who-account = You are { $name } ({ $address }), who has an account.
# See preview-who-newcomer. $provider: name of the provider that has answered.
preview-who-through = You are { $name }, new here, and { $provider } has said so.
# Next to it, on the page that asks for a code. $code: eight digits.
preview-note-code = The mail would say { $code }.
# See preview-note-code.
preview-note-no-code = No mail would be sent: the address has no account, and the page must not tell.
# Next to it, on the page that asks for the password.
preview-note-password = The password is “{ $password }”.
# In front of the ways to begin once more.
preview-start-again = Start again:
# A way to begin.
preview-start-newcomer = Newcomer
# See preview-start-newcomer.
preview-start-account = With an account
# See preview-start-newcomer. $provider: name of the provider.
preview-start-provider = From { $provider }
# The name of the list of languages, for screen readers.
preview-language = Language

## The end

# Headings and sentences of the page at the end of a walk.
preview-end-created-title = The account would exist now
# See preview-end-created-title.
preview-end-created-lead = The visitor would be back in the app, signed in for the first time.
# See preview-end-created-title.
preview-end-signed-in-title = The visitor would be signed in
# See preview-end-created-title.
preview-end-signed-in-lead = They would be back in the app, with the account that they had.
# See preview-end-created-title.
preview-end-cancelled-title = The visitor went back
# See preview-end-created-title.
preview-end-cancelled-lead = The app would learn that they cancelled. There is no account and no token.
# Heading over the account as JSON.
preview-end-account = In the directory
# Heading over the claims of the token as JSON.
preview-end-token = In the ID token
# Instead of a token.
preview-end-no-app = No app uses this flow, so nobody gets a token.
# Button.
preview-end-again = Start again
