### Pages around a journey: errors, signing out, home, the inbox of a development server.
### A title is at most 40 characters, a sentence at most 160.

# Links at the foot of each page.
legal-privacy = Privacy
# See legal-privacy.
legal-terms = Terms of use

## Errors

# Headings of error pages.
fault-title = This did not work
# The request was not what it must be.
fault-malformed-title = This link does not work
# The session of the page is over.
fault-expired-title = This page has expired
# See fault-title.
fault-forbidden-title = You cannot do this
# See fault-title.
fault-missing-title = There is nothing here
# See fault-title.
fault-throttled-title = Too many tries
# See fault-title.
fault-upstream-title = Another service did not answer
# See fault-title.
fault-ours-title = Something is broken on our side

# The app or link that led here made a mistake.
fault-malformed = The app or link that brought you here made a mistake. Go back to it and try again.
# The app is not known here, or did not say who it is.
fault-client = This server does not know the app that brought you here. Ask the people who run the app.
# The address to come back to is not one that the app registered.
fault-redirect = The app asked to be answered at an address that it has not registered. Ask the people who run the app.
# The app is for people who were assigned to it, and this person was not.
fault-not-assigned = You have no access to this app yet. Ask whoever runs it to let you in.
# The address names a way to sign in that is not the app's.
fault-not-served = The link that brought you here belongs to another app. Go back to the app and try again.
# The app has not registered any address to be answered at.
redirect-unregistered = The app that brought you here has no address to go back to. Ask the people who run the app.
# The app did not say at which of its addresses it wants to be answered.
redirect-missing = The app that brought you here did not say where to go back to. Ask the people who run the app.
# What the app sent as its address is no address.
redirect-malformed = The app that brought you here asked to be answered at something that is not an address. Ask the people who run the app.
# The app asked to be answered at an address that is not registered.
redirect-mismatch = The app that brought you here asked to be answered at an address that it has not registered. Ask the people who run the app.
# There is no app with the id in the link.
client-unknown = This organisation does not know the app that brought you here. Ask the people who run the app.
# The app was switched off.
client-disabled = The app that brought you here is switched off. Ask the people who run the app.
# Nobody has set up how people sign in to the app.
client-not-served = Nobody can sign in to this app yet. Ask the people who run the app.
# A part of the request is missing or wrong. $parameter: its technical name.
request-malformed = The app that brought you here made a mistake in “{ $parameter }”. Ask the people who run the app.
# The link holds a request that the app left with us; its time is over, or it was answered before.
request-over = This link was good for a few minutes, or for one sign-in. Go back to the app and start again.
# What a provider sent back is not an answer to one of our questions.
fault-federation = The service that you signed in at sent an answer that does not belong here. Go back to the app and start again.
# A form was sent from another browser, or cookies are switched off.
fault-form = This form was not opened in this browser. Go back, reload the page and try again. Cookies must be allowed.
# The journey belongs to another browser, or was cleaned up.
fault-journey-gone = This page belongs to another browser, or its time is over. Go back to the app and start again.
# A credential or token is wrong.
fault-credential = What brought you here is no longer good. Go back to the app and start again.
# The page is too old, was used already, or belongs to another browser.
fault-expired = You took longer than this page could wait, or it was finished in another tab. Nothing is lost: start again.
# The form was not sent from one of our own pages, or cookies are switched off.
fault-forbidden = This request did not come from the page that it should have come from. Go back, reload the page and try again. Cookies must be allowed.
# There is no such address.
fault-missing = There is no page at this address. Check the link that brought you here.
# There is no such organisation.
fault-tenant = There is no organisation at this address. Check the link that brought you here.
# Somebody else was quicker.
fault-stale = Something changed in the meantime. Go back and try again.
# Too often. $minutes: how long to wait.
fault-throttled = { $minutes ->
    [one] Wait a minute, then try again.
   *[other] Wait { $minutes } minutes, then try again.
}
# Another service failed.
fault-upstream = A service that we need did not answer. Try again in a minute.
# We failed.
fault-ours = It is not your fault, and it was written down. Try again in a minute. If it stays, tell us the reference below.
# The page was sent too much.
fault-too-large = That was more than this page can take. Go back and shorten it.
# In front of the number by which developers know the error.
fault-number = Error
# In front of the reference that support asks for.
fault-reference = Reference
# In front of the id that this server gave the request, as in its log.
fault-trace = Trace ID
# In front of the id that the app gave the request, as in the app's log.
fault-correlation = Correlation ID
# In front of the time.
fault-time = Time
# Heading of the page that explains an error to whoever writes an app.
number-title = What { $number } means
# Under the heading.
number-lead = For whoever writes or runs the app. Each heading is the word that the app reads.
# Button of a page whose journey has expired.
fault-start-again = Start again

# The app must not be used on devices any more.
client-no-device = This app can no longer be used on other devices. Ask the people who run the app.

## Devices that are let in by a code

# What a device or program without a browser prints. $address: where to go, $code: what to type there.
device-message = To sign in, open { $address } in a browser and enter the code { $code }.
# Heading of the page where the code is typed.
device-title = Connect a device
# Below it, when the code is to be typed.
device-lead = Enter the code that your device shows.
# Below it, when the code came with the link.
device-lead-filled = Check that your device shows this code.
# Label of the field, and the hint below it.
device-code-label = Code
# See device-code-label.
device-code-hint = Eight letters
# Button below the code, and the one that lets the device in.
device-continue = Continue
# Heading of the question whether the device is let in.
device-ask-title = Sign in on your device?
# Below it. $app: name of the app.
device-ask-lead = A device asks to use { $app } with your account.
# Labels in front of what is known about the request.
device-fact-app = App
# See device-fact-app.
device-fact-account = Account
# See device-fact-app. An address in the internet follows.
device-fact-from = Asked from
# See device-fact-app. A time follows.
device-fact-asked = Asked
# Below the address, in smaller letters.
device-from-here = the network of this browser
# How long ago the device asked. $minutes: whole minutes.
device-asked-ago = { $minutes ->
    [0] less than a minute ago
    [one] one minute ago
   *[other] { $minutes } minutes ago
}
# The warning above the buttons.
device-caution = Continue only if you started this yourself, on a device that is yours. If somebody sent you the code or a link, cancel: they would get into your account.
# Signs in with another account first.
device-switch = Use another account
# Heading when the device is let in, and the sentence below it. $app: name of the app.
device-approved-title = Go back to your device
# See device-approved-title.
device-approved-lead = { $app } will be signed in there in a few seconds. You can close this page.
# Heading when the device is not let in, and the sentence below it. $app: name of the app.
device-declined-title = The device was not let in
# See device-declined-title.
device-declined-lead = Nothing was changed. If you did want to use { $app } there, start again on the device.
# Heading when nobody decided in time, and the sentence below it. $app: name of the app.
device-expired-title = The code has expired
# See device-expired-title.
device-expired-lead = Start again in { $app } on your device; it will show a new code.
# Heading when the person signed out meanwhile, and the sentence below it. $app: name of the app.
device-signed-out-title = You are signed out here
# See device-signed-out-title.
device-signed-out-lead = Enter the code once more to sign in and use { $app } on your device.
# Link to the page where codes are typed.
device-again = Enter a code

# Heading when the app asks for more than the person may give it, and the sentence below it. $app: name of the app.
device-admin-title = An administrator has to approve this
# See device-admin-title.
device-admin-lead = { $app } asks for permissions that only an administrator can give. Nothing was changed.
# Above what the app may do from then on.
device-permissions = If you continue, the app may:

## Which account a request is for

# Heading of the page with the accounts that are signed in in this browser.
choose-title = Choose an account
# Below it. $app: name of the app.
choose-lead = Which one do you want to use with { $app }?
# Button beside each account, and what screen readers say instead. $account: its address or name.
choose-sign-out = Sign out
# See choose-sign-out.
choose-sign-out-of = Sign out of { $account }
# Button that leads to signing in with an account that is not in the list.
choose-other = Use another account

## What apps of others may do

# Heading of the question whether an app may do what it asks for. $app: name of the app.
consent-title = Let { $app } use your account?
# Below it, above the list of permissions. $app: name of the app.
consent-lead = { $app } is not one of ours. It wants to:
# Labels in front of the account and of who publishes the app.
consent-fact-account = Account
# See consent-fact-account.
consent-fact-publisher = Publisher
# Links to pages of the app. $app: name of the app.
consent-privacy = Privacy statement of { $app }
# See consent-privacy.
consent-terms = Terms of { $app }
# The sentence above the buttons. $app: name of the app.
consent-caution = Accept only if you know { $app } and want it to do this. You can take it back at any time, under “Apps with access” of your account.
# The button that agrees.
consent-accept = Accept
# Heading when only an administrator can agree. $app: name of the app.
consent-admin-title = An administrator has to approve { $app }
# Below it, above the list of permissions. $app: name of the app.
consent-admin-lead = { $app } asks for this:
# The sentence in the box.
consent-admin-caution = You cannot agree to this yourself. Ask an administrator of this organisation to approve the app, then try again.
# The button below it.
consent-back = Back to the app
# Heading above the permissions of one service. $resource: its name.
permissions-of = In { $resource }
# What apps may do; each is one line of a list.
permission-openid = Sign you in
# See permission-openid.
permission-profile = See your name and profile
# See permission-openid.
permission-email = See your email address
# See permission-openid.
permission-address = See your postal address
# See permission-openid.
permission-phone = See your phone number
# See permission-openid.
permission-offline = Keep this access while you are not there

## Somebody's own account

# Heading of the page, and the sentence below it.
account-title = Your account
# See account-title.
account-lead = You are signed in in this browser.
# Labels.
account-fact-name = Name
# See account-fact-name.
account-fact-address = Account
# What the button below does.
account-everywhere-hint = If you lost a device, or somebody else may be signed in as you: this signs you out of every browser, device and app.
# The button.
account-everywhere = Sign out everywhere
# When nobody is signed in.
account-nobody = Nobody is signed in here. Sign in from one of your apps, then come back to this page.
# Heading of the page with the apps that somebody let use their account.
apps-title = Apps with access
# Below it. $account: the account's address.
apps-lead = You let these apps use { $account }.
# The same when there is none. $account: the account's address.
apps-none = No app of others uses { $account }.
# Since when an app has access. $day: a day such as 2026-11-24.
apps-since = Since { $day }
# Opens the list of what an app may do.
apps-permissions = What it may do
# Button that takes the access back, and what screen readers say instead. $app: name of the app.
apps-withdraw = Remove access
# See apps-withdraw.
apps-withdraw-of = Remove access of { $app }

## The way back to the app

# Tab title and heading of the page that takes the browser back. $app: name of the app.
form-post-title = Taking you back
# Below it; the button is for browsers without scripts.
form-post-lead = If nothing happens, press the button.
# The button.
form-post-submit = Continue

## Apps that registered themselves

# Tab title and heading of the page before an app that nobody vouches for.
onward-title = Leave this page?
# Below it. $app: the name that the app gave itself. $tenant: name of the organisation.
onward-lead = Something is wrong with what { $app } asked for. The app registered itself, and { $tenant } has not checked it. Go there only if you came from it.
# The link or button that leads there. $app: the name that the app gave itself.
onward-go = Go to { $app }
# Above the form on every page on the way to such an app. $app: the name that the app gave itself. $tenant: name of the organisation.
stranger-note = You are signing in to { $app }. The app registered itself, and { $tenant } has not checked it.
# Link to what the app says about privacy. $app: the name that the app gave itself.
stranger-policy = Privacy at { $app }
# Link to the app's terms. $app: the name that the app gave itself.
stranger-terms = Terms of { $app }

## Over

# Heading when a journey is over and the person comes back to it.
ended-signed-in-title = You are signed in
# Below it. $app: name of the app.
ended-signed-in-lead = This page has done its work. Go back to { $app }.
# Heading when the person cancelled.
ended-cancelled-title = You cancelled
# Below it. $app: name of the app.
ended-cancelled-lead = Nothing was changed. You can start again from { $app }.
# Heading when nobody answered in time.
ended-expired-title = This page has waited too long
# Below it. $app: name of the app.
ended-expired-lead = For your safety it no longer takes answers. Nothing was changed. Start again from { $app }.
# Link to the app. $app: name of the app.
ended-back = Back to { $app }

## Signing out

# Heading of the question whether to sign out.
sign-out-title = Sign out?
# Below it. $tenant: name of the organisation.
sign-out-lead = You will be signed out of { $tenant } and its apps in this browser.
# Instead of sign-out-lead, when several accounts are signed in. $tenant: name of the organisation.
sign-out-which = Which account do you want to sign out of { $tenant } and its apps in this browser?
# The choice below the accounts.
sign-out-all = All accounts
# Answers.
sign-out-yes = Sign out
# See sign-out-yes.
sign-out-no = Stay signed in
# Heading afterwards.
signed-out-title = You are signed out
# Below it.
signed-out-lead = You can close this page.
# Instead of signed-out-lead, while the apps that somebody used are told; the page goes on by itself after that.
signed-out-next = Your apps are being told. You will be taken back in a moment.
# Link below signed-out-next, for browsers that do not go on by themselves.
signed-out-continue = Continue

## Home of an organisation

# Link to somebody's own account.
home-account = Your account
# Below the organisation's name.
home-lead = There is nothing to do here. Sign in from the app that you want to use.

## The inbox of a development server

# Heading, and what there is below it.
inbox-title = Inbox
# See inbox-title.
inbox-lead = Every mail of this development server ends here. The page looks for new ones by itself.
# When there is none.
inbox-empty = No mail yet
# Below it.
inbox-empty-lead = Sign up somewhere, and the code will be here a second later.
# In front of the recipient of a mail.
inbox-to = To
# In front of the time of arrival.
inbox-received = Received
# Headings of the two forms of a mail.
inbox-html = As HTML
# See inbox-html.
inbox-text = As text
# Link back to the list.
inbox-back = Back to the inbox
# Link to the list as JSON.
inbox-json = As JSON
