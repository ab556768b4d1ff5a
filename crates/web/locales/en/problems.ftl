### What went wrong with an input, below its field or at the top of the form: what happened and what to do
### next. At most 140 characters. No blame, no exclamation marks.

# Nothing was typed as an email address.
address-missing = Enter your email address.
# What was typed is no email address.
address-invalid = Enter a complete email address, such as name@example.com.
# Nothing was typed as a code.
code-missing = Enter the code from the mail.
# What was typed cannot be a code.
code-format = The code has 8 digits. Copy it from the mail.
# The code is another one. $left: how often it can still be tried, at least one.
code-wrong = { $left ->
    [one] That is not the code. You can try once more.
   *[other] That is not the code. You can try { $left } more times.
}
# A newer code was sent since.
code-superseded = A newer code was sent. Use the one from the latest mail.
# The code is too old.
code-expired = This code has expired. Send a new one.
# The code was tried too often.
code-exhausted = This code was tried too often. Send a new one.
# A new code was asked for too early. $seconds: how long to wait.
code-resend-wait = { $seconds ->
    [one] You can send a new code in one second.
   *[other] You can send a new code in { $seconds } seconds.
}
# Too many codes were asked for. $minutes: how long to wait.
code-throttled = { $minutes ->
    [one] Too many codes were sent. Try again in a minute.
   *[other] Too many codes were sent. Try again in { $minutes } minutes.
}
# The password or the address does not match; which one is not said.
password-wrong = Email address or password is not right. Try again, or reset your password.
# Too many wrong passwords. $minutes: how long to wait.
password-throttled = { $minutes ->
    [one] Too many wrong passwords. Try again in a minute, or reset your password.
   *[other] Too many wrong passwords. Try again in { $minutes } minutes, or reset your password.
}
# The new password is too short. $min: the least number of characters.
password-too-short = { $min ->
    [one] Use at least one character.
   *[other] Use at least { $min } characters.
}
# The new password is too long. $max: the greatest number of characters.
password-too-long = { $max ->
    [one] Use at most one character.
   *[other] Use at most { $max } characters.
}
# The new password is one that others would try.
password-easy = This password is easy to guess. Add a word or two that do not belong together.
# The second typing differs from the first.
password-mismatch = The two passwords differ. Type the same one twice.
# The field was not there before: it follows from an answer on the same page.
field-follows = This question follows from your answers. Please answer it too.
# The field is empty.
field-required = Fill this in.
# Nothing was chosen.
field-choose = Choose one.
# The box is not ticked.
field-must-accept = Tick this box to go on.
# Beside the box of a document that must be accepted.
terms-must-accept = Read the document and tick this box to go on.
# There is a character that cannot be stored.
field-characters = This has a character that cannot be used here. Type it again.
# There is a hidden character that turns the direction of the text around.
field-direction = This has a hidden character that changes the direction of writing. Delete the text and type it again.
# A name of nothing but digits and signs.
field-name = Enter a name with at least one letter.
# What was typed is not an email address.
field-email = Enter an email address, such as name@example.com.
# What was typed is not a phone number.
field-phone = Enter a phone number with its country code, such as +44 20 7946 0018.
# The same where the numbers of one country need no country code.
field-phone-home = Enter a phone number. With a country code, it begins with a plus sign.
# What was typed is not the address of a web page.
field-url = Enter the address of a web page, such as https://example.com.
# The number is too small. $min: the least number.
field-number-low = Enter { $min } or more.
# The number is too great. $max: the greatest number.
field-number-high = Enter { $max } or less.
# More than one part of the date is missing.
field-date = Enter a day, a month and a year.
# The day is missing.
field-date-day = Enter a day.
# The month is missing.
field-date-month = Choose a month.
# The year is missing.
field-date-year = Enter a year.
# A part of the date is no number, or no month has that number.
field-date-number = Use numbers for the date, such as 27 3 1990.
# The year has too few or too many digits.
field-date-four = Enter the year with four digits, such as 1990.
# The calendar has no such day, such as 30 February. $day, $month, $year: what was typed.
field-date-none = { month-name } { $year } has no day { $day }.
# The date is too early. $day, $month, $year: the first date that can be.
field-date-early = Enter { $day } { month-name } { $year } or a later date.
# The date is too late. $day, $month, $year: the last date that can be.
field-date-late = Enter { $day } { month-name } { $year } or an earlier date.
# What was chosen is not on the list.
field-option = Choose one from the list.
# What was typed is not a whole number.
field-number = Enter a whole number, such as 42.
# The text is too long. $max: the greatest number of characters.
field-too-long = { $max ->
    [one] Use at most one character.
   *[other] Use at most { $max } characters.
}
# The text does not have the form that the organisation asks for.
field-pattern = This does not have the expected form. Check it.
# The person said no at the provider.
provider-declined = You did not sign in there. Try again, or choose another way.
# The provider failed or its answer could not be trusted.
refused-provider-failed = The other service did not answer as expected. Try again, or choose another way.
# The account is of an organisation that the provider's configuration does not name.
refused-provider-organisation = Accounts of your organisation are not accepted here. Use another account, or choose another way.
# There is no account, and none can be made here.
refused-no-account = There is no account here that you could sign in with. Ask the organisation for access, or use another account.
# The provider did not vouch for an email address.
refused-no-verified-email = That account has no verified email address. Verify it there, or sign up with your email address.
# The account is switched off.
refused-disabled = This account is switched off. Ask the organisation to switch it on.
# Something changed in between.
try-again = Something changed in the meantime. Try again.
# The newcomer is younger than the organisation allows.
refused-too-young = You are too young to sign up here.
# The parent or guardian said no.
refused-guardian = Your parent or guardian has not agreed, so no account can be created.
# The guardian's address is the newcomer's own.
guardian-own-address = This is your own address. Type that of a parent or guardian.
# The guardian did not answer in time.
guardian-expired = There was no answer in time. You can ask again.
# Another mail to the guardian comes too early. $seconds: how long to wait.
guardian-resend-wait = { $seconds ->
    [one] Wait one second before another mail is sent.
   *[other] Wait { $seconds } seconds before another mail is sent.
}
# Too many mails to this address, or from here. $minutes: how long to wait.
guardian-throttled = { $minutes ->
    [one] Too many mails were sent. Try again in one minute.
   *[other] Too many mails were sent. Try again in { $minutes } minutes.
}
# The link in a guardian's mail is incomplete, or from long ago.
fault-guardian-gone = This link is not complete, or it is from long ago. Open it from the newest mail.

## The code of a device

# Nothing was typed.
device-code-required = Enter the code that your device shows.
# What was typed cannot be a code.
device-code-malformed = A code has eight letters, such as WDJB-MJHT, and neither numbers nor vowels.
# No device waits with this code.
device-code-wrong = No device waits with this code. Check the letters, or get a new code on the device.
