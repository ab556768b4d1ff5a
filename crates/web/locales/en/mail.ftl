### Mails. $tenant is the organisation's name, $address the recipient's address.

# Subject of a mail with a code: the code comes first, so that a notification shows it. $code: 8 digits.
mail-code-subject = { $code } is your { $tenant } code
# First sentence, by what the code is for.
mail-code-sign-in = Use this code to sign in to { $tenant }:
# See mail-code-sign-in.
mail-code-sign-up = Use this code to create your { $tenant } account:
# See mail-code-sign-in.
mail-code-reset = Use this code to choose a new password for { $tenant }:
# See mail-code-sign-in. The address is an answer to a question, not the account's own.
mail-code-attribute = Use this code to show { $tenant } that this address is yours:
# Below the code. $minutes: how long it lives.
mail-code-life = { $minutes ->
    [one] It works once, within one minute.
   *[other] It works once, within { $minutes } minutes.
}
# Last paragraph: what to do if it was not the reader.
mail-code-not-you = Somebody typed { $address } at { $tenant }. If that was not you, do nothing: without the code nothing happens. Never pass the code on; nobody at { $tenant } will ask for it.
# Subject of the note to somebody who has no account but tried to sign in or to reset a password.
mail-no-account-subject = About your { $tenant } account
# What happened.
mail-no-account-sign-in = Somebody, perhaps you, tried to sign in to { $tenant } with { $address }.
# See mail-no-account-sign-in.
mail-no-account-reset = Somebody, perhaps you, asked for a new { $tenant } password for { $address }.
# What it means and what to do.
mail-no-account-lead = There is no account with this address that this could be done for. If it was you, try another address, or create an account.
# Last paragraph of the same note.
mail-no-account-not-you = If it was not you, do nothing: nothing has changed.
# Subject of the notice after a password change.
mail-password-changed-subject = Your { $tenant } password was changed
# What happened.
mail-password-changed-lead = The password of { $address } at { $tenant } was changed a moment ago, and every other session was signed out.
# What to do.
mail-password-changed-not-you = If that was you, there is nothing to do. If it was not, choose a new password now with “I forgot my password” on the sign-in page, and secure your mailbox.
# Subject of the mail to a parent or guardian.
mail-guardian-subject = { $tenant }: your consent is asked for
# What happened. $visitor: the newcomer's email address.
mail-guardian-lead = { $visitor } wants an account at { $tenant } and is too young to decide alone. They say that you are their parent or guardian.
# What to do; the link follows.
mail-guardian-do = See what they have answered, and agree or refuse:
# The link in the HTML of the mail.
mail-guardian-link = See what is asked
# How long the link lives. $days: days.
mail-guardian-life = { $days ->
    [one] The link works for one day.
   *[other] The link works for { $days } days.
}
# Last paragraph.
mail-guardian-not-you = If you do not know them, do nothing: without your answer there is no account.
# At the foot of each mail.
mail-foot = Sent by { $tenant } because of a request with this address. There is nobody to read an answer to it.
# Subject of the mail after an account was connected with a provider. $tenant: the organisation. $provider: its name.
mail-identity-linked-subject = { $provider } now leads to your { $tenant } account
# Its first sentence. $address: the account's address.
mail-identity-linked-lead = A moment ago somebody signed in to the account of { $address } at { $tenant } and connected it with { $provider }. From now on both lead to it.
# And then.
mail-identity-linked-not-you = If that was you, there is nothing to do. If it was not, choose a new password with “I forgot my password” on the sign-in page, and tell { $tenant }.
