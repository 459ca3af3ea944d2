"""The centre as a kiosk meets it: the API's client."""
