"""What MSAL Python does beyond the programs of the guides; prints what comes of it as JSON.

    rows.py interactive authority|oidc_authority ADDRESS   signs in by a browser on the same machine
    rows.py device                                         signs in by a code
    rows.py certificate THUMBPRINT                         signs in as itself, as older versions did: RS256 and SHA-1
"""

import json
import os
import sys
from pathlib import Path

import msal

SCOPE = "api://contoso-orders/orders.read"


def interactive(argument, address):
    policy = "/b2c_" in address.lower()
    known = {} if argument == "oidc_authority" or policy else {"instance_discovery": False}
    client = msal.PublicClientApplication(os.environ["CLIENT_ID"], **{argument: address}, **known)
    first = client.acquire_token_interactive([SCOPE])
    if "error" in first:
        return first
    (account,) = client.get_accounts()
    again = client.acquire_token_silent_with_error([SCOPE], account)
    renewed = client.acquire_token_silent_with_error([SCOPE], account, force_refresh=True)
    return {
        "claims": first["id_token_claims"],
        "account": account["home_account_id"],
        "cached": again["access_token"] == first["access_token"],
        "renewed": renewed["access_token"] != first["access_token"],
    }


def device():
    client = msal.PublicClientApplication(
        os.environ["CLIENT_ID"], authority=os.environ["AUTHORITY"], instance_discovery=False
    )
    flow = client.initiate_device_flow([SCOPE])
    print(json.dumps({"address": flow["verification_uri_complete"], "code": flow["user_code"]}), flush=True)
    result = client.acquire_token_by_device_flow(flow)
    return {"scope": result.get("scope"), "error": result.get("error")}


def certificate(thumbprint):
    client = msal.ConfidentialClientApplication(
        os.environ["CLIENT_ID"],
        client_credential={"private_key": Path("secrets/job.key").read_text(), "thumbprint": thumbprint},
        authority=os.environ["AUTHORITY"],
        instance_discovery=False,
    )
    result = client.acquire_token_for_client(["api://contoso-orders/.default"])
    return {"token_type": result.get("token_type"), "error": result.get("error_description")}


COMMANDS = {"interactive": interactive, "device": device, "certificate": certificate}
command, *arguments = sys.argv[1:]
print(json.dumps(COMMANDS[command](*arguments)), flush=True)
