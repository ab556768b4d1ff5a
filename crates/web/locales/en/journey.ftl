### The pages of a journey: signing in, signing up, resetting a password.
### A title (`…-title`) is the page's heading and the beginning of the tab's title: at most 40 characters.
### A lead (`…-lead`) is one sentence below it: at most 140 characters.
### An action (`action-…`) is the text of a button or of a link-like button: a verb of the result.

# Heading of the first page of signing in.
identify-title = Sign in
# Below the heading of the first page of signing in. $tenant: name of the organisation.
identify-lead = Welcome to { $tenant }.
# Heading of the first page of signing up.
sign-up-title = Create your account
# Below the heading of signing up. $tenant: name of the organisation.
sign-up-lead = Enter your email address. { $tenant } will send a code to it, to make sure that it is yours.
# Below the heading of signing up where no address can be typed. $tenant: name of the organisation.
sign-up-lead-provider = Choose an account to sign up for { $tenant } with.
# Heading of the first page of a password reset.
reset-title = Reset your password
# Below the heading of a password reset. $tenant: name of the organisation.
reset-lead = Enter the email address of your account. { $tenant } will send a code to it.
# Heading of the page that asks for the password.
password-title = Enter your password
# Below it. $address: the email address that was typed.
password-lead = For { $address }
# The same for who is about to connect a provider. $address: the email address. $provider: the provider's name.
password-connect-lead = For { $address }. Then { $provider } will lead to this account as well.
# Heading of the page that asks for the code from the mail.
code-title = Enter your code
# Heading of the page for a code that proves an address which was given as an answer.
code-title-attribute = Check that address
# The same on the way to a new password.
code-title-reset = Enter your code
# Below it. $address: the email address that the code was sent to.
code-lead = We sent an 8-digit code to { $address }. It is good for 10 minutes.
# A question that unfolds its answer, below the code field.
code-help-question = Nothing arrived?
# Its answer. $address: the email address that the code was sent to.
code-help-answer = It can take a minute. Look into your spam folder, and check that { $address } is spelled correctly. If it is not, use a different address.
# Heading of the page that asks for a new password at the end of a reset.
new-password-title = Choose a new password
# Below it. $address: the email address of the account.
new-password-lead = For { $address }. You will be signed out everywhere else.
# Heading of the page that asks for name, country and so on.
details-title = Tell us about yourself
# Below it. $address: the email address of the new account.
details-lead = Your account will be { $address }.
# Heading of the last of several pages, where the new account gets its password.
details-closing-title = One last thing
# Heading of the page that asks somebody who has signed in for what their account lacks.
details-missing-title = Something is missing from your account
# Below it. $tenant: the organisation's name.
details-missing-lead = { $tenant } needs a little more before you go on.
# Heading of the page that asks somebody who has signed in to accept documents, new ones or new versions.
details-terms-title = Before you go on
# Below it. $tenant: the organisation's name.
details-terms-lead = { $tenant } asks you to read and accept this.
# Beside the box of a document to accept. $title: the document's name.
field-terms = I accept: { $title }
# Link to its words, which opens beside the form. $title: the document's name.
terms-read = Read “{ $title }” (opens in a new tab)
# Below the heading of a document. $version: its version, such as 2026-11.
terms-version = Version { $version }
# Heading of the page for somebody who is too young to sign up alone.
guardian-title = Ask a parent or guardian
# Below it. $tenant: the organisation's name.
guardian-lead = You are too young to sign up at { $tenant } alone. We will ask a parent or guardian by email; they see what you have answered.
# Label of the field for the guardian's address.
field-guardian = Their email address
# Below it.
field-guardian-hint = Not your own address.
# Heading while the guardian has not answered.
guardian-wait-title = Waiting for their answer
# Below it. $address: the guardian's email address.
guardian-wait-lead = We have written to { $address }. This page shows their answer when it is there. You can close it and come back in this browser.
# Heading when the guardian has agreed.
guardian-agreed-title = They have agreed
# Below it.
guardian-agreed-lead = Your parent or guardian has agreed. You can go on.
# Heading of the page that the mail leads a guardian to. $tenant: the organisation, $address: the newcomer's address, $app: the app's name.
guardian-page-title = Do you agree?
# Below it; same arguments.
guardian-page-lead = { $address } wants an account at { $tenant } for { $app } and is too young to decide alone. They say that you are their parent or guardian.
# Above what the newcomer has answered.
guardian-page-answers = What they have answered
# A date among them. $day and $year: numbers, $month: m1 to m12.
guardian-page-date = { $day } { $month ->
    [m1] January
    [m2] February
    [m3] March
    [m4] April
    [m5] May
    [m6] June
    [m7] July
    [m8] August
    [m9] September
    [m10] October
    [m11] November
   *[m12] December
} { $year }
# The answer to a question that is a box.
guardian-page-ticked = Yes
# Heading after the guardian has agreed; arguments as above.
guardian-page-agreed-title = You have agreed
# Below it.
guardian-page-agreed-lead = { $address } can create the account at { $tenant } now. You can close this page.
# Heading after the guardian has refused; arguments as above.
guardian-page-refused-title = You have refused
# Below it.
guardian-page-refused-lead = No account is created for { $address } at { $tenant }. You can close this page.
# Heading when the link is of no use any more; arguments as above.
guardian-page-over-title = There is nothing to decide here
# Below it, when a newer mail was sent or the newcomer went another way.
guardian-page-replaced-lead = A newer mail was sent, or your answer is no longer needed.
# Below it, when the guardian did not answer in time.
guardian-page-expired-lead = Your answer did not come in time. If { $address } still wants an account at { $tenant }, they can ask you again.
# Heading when the address has an account already.
exists-title = You already have an account
# Below it. $address: the email address.
exists-lead = There is an account with { $address }. Sign in to go on.
# Below it, for who came by a provider. $address: the email address. $provider: its name.
exists-connect-lead = There is an account with { $address }. Sign in to it once, and from then on { $provider } leads to it as well.
# Heading of the page for somebody whose provider does not vouch for an email address.
address-title = Your email address
# Below it. $provider: the provider's name.
address-lead = { $provider } did not confirm an email address of yours. Type the one you want to use, and we will send you a code.
# Heading when this way cannot go on; the reason stands below.
refused-title = You cannot go on this way
# Heading of the question whether to keep the person signed in in this browser.
stay-title = Stay signed in?
# Below it.
stay-lead = You will be asked to sign in less often. Say no on a device that you share.
# Heading of the page that leads to a provider. $provider: its name.
leave-title = Continue with { $provider }
# Below it. $provider: its name.
leave-lead = You will sign in at { $provider } and come back here.
# Heading when the journey is over and the person is signed in.
ended-title = You are signed in
# Heading when the person cancelled.
ended-title-cancelled = Cancelled

## Fields. A label stands above its field: at most 40 characters.

# Label of the email address.
field-username = Email address
# Label of the code.
field-code = Code
# Label of the current password.
field-password = Password
# Label of a new password.
field-new-password = New password
# Below that label, before anything is typed. $min: the least number of characters.
field-new-password-hint = { $min ->
    [one] At least one character.
   *[other] At least { $min } characters. A few words in a row are easy to remember.
}
# Label of the field that asks for the new password once more.
field-confirm-password = New password again
# Behind the label of a field that may stay empty.
field-optional = (optional)
# First entry of a list of choices, when nothing is chosen.
field-select = Choose one
# Label of the day in a date.
field-day = Day
# Label of the month in a date.
field-month = Month
# Label of the year in a date.
field-year = Year
# A month, in lists and in sentences about dates. $month: m1 to m12.
month-name = { $month ->
    [m1] January
    [m2] February
    [m3] March
    [m4] April
    [m5] May
    [m6] June
    [m7] July
    [m8] August
    [m9] September
    [m10] October
    [m11] November
   *[m12] December
}
# Below the label of a number. $min: the least, $max: the greatest number.
field-range-hint = From { $min } to { $max }
# Below the label of a phone number.
field-phone-hint = With the country code, such as +44
# Heard while a list is searched. $count: how many entries fit; # stands for it in the page.
field-found = { $count } found
# Shown in a list that is searched when nothing fits.
field-found-none = Nothing found
# Built-in attributes; the labels that administrators do not set.
attribute-email = Email address
# See attribute-email.
attribute-displayName = Your name
# See attribute-email.
attribute-givenName = First name
# See attribute-email.
attribute-surname = Last name
# See attribute-email.
attribute-jobTitle = Job title
# See attribute-email.
attribute-streetAddress = Street address
# See attribute-email.
attribute-city = City
# See attribute-email.
attribute-state = State or province
# See attribute-email.
attribute-postalCode = Postal code
# See attribute-email.
attribute-country = Country or region

## Actions

# Goes on from the email address.
action-next = Next
# Goes back to the page before; nothing that was typed is lost.
action-back = Back
# Sends the first code.
action-send-code = Send code
# Signs in, with a password or a code.
action-sign-in = Sign in
# Checks the code of a new account or of a reset.
action-verify = Verify
# Ends the reset.
action-save-password = Save password
# Ends signing up.
action-create-account = Create account
# Goes on from “You already have an account”.
action-continue-sign-in = Sign in
# The same, and what they came by will lead to the account as well. $provider: the provider's name.
action-connect = Sign in and connect { $provider }
# Leads to signing in without connecting anything.
action-sign-in-unconnected = Sign in without connecting
# Leads back to the choice of ways.
action-another-way = Try another way
# Answers of “Stay signed in?”.
action-yes = Yes
# See action-yes.
action-no = No
# Leads to the provider. $provider: its name.
action-continue-provider = Continue to { $provider }
# Goes back to the app without signing in.
action-cancel = Cancel
# Sends another code.
action-resend = Send a new code
# The same while it cannot be used yet. $time: what is left, as minutes and seconds such as 0:25.
action-resend-in = Send a new code in { $time }
# Leads back to the email address.
action-change-address = Use a different address
# Leads from signing in to signing up.
action-sign-up = Create an account
# Leads from signing up to signing in.
action-sign-in-instead = I already have an account
# Leads to a password reset.
action-forgot-password = I forgot my password
# Button of a provider when signing in. $provider: its name.
provider-sign-in = Continue with { $provider }
# Button of a provider when signing up. $provider: its name.
provider-sign-up = Sign up with { $provider }
# Between the form and the buttons of providers.
form-or = or
# Opens the buttons of further providers.
form-other-ways = Other ways
# Beside the provider by which somebody signed in here last time.
provider-last-used = Last used
# In place of a provider's button, when the page is shown inside another app. $provider: its name.
provider-not-embedded = { $provider } does not open inside other apps. Open this page in your browser, or choose another way.
# Above the heading of one of several pages. $page, $of: numbers. More pages may follow from the answers.
form-progress = Step { $page } of { $of }

## Around the form

# In front of the tab's title when something is wrong. $title: the title.
title-error = Error: { $title }
# The tab's title. $title: the page's heading. $tenant: name of the organisation.
title-page = { $title } – { $tenant }
# Heading of the list of problems at the top of a form. $count: how many there are, at least two.
summary-title = { $count ->
    [one] There is a problem
   *[other] There are { $count } problems
}
# Text of the button in a password field that makes the password readable, and the other way.
reveal-show = Show
# See reveal-show.
reveal-hide = Hide
# The same for people who hear the page.
reveal-show-label = Show password
# See reveal-show-label.
reveal-hide-label = Hide password
# Below a new password while it is typed. $count: how many characters it has; $min: how many it needs.
strength-count = { $count } of at least { $min } characters
# The same when it is long enough.
strength-good = Long enough
# Asks a guardian by mail.
action-ask-guardian = Ask them
# Looks whether the guardian has answered.
action-check-again = Check for the answer
# Another mail to the same guardian.
action-resend-guardian = Send the mail again
# The same while it is too early. $time: minutes and seconds, such as 0:25.
action-resend-guardian-in = Send the mail again in { $time }
# Asks another guardian.
action-change-guardian = Ask somebody else
# The guardian agrees.
action-agree = Agree
# The guardian refuses.
action-refuse = Refuse
