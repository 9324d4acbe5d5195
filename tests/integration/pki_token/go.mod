module pki_token

go 1.19
