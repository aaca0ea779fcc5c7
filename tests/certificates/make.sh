#!/bin/sh
# Makes the files beside it anew, with OpenSSL 3. All passwords are `open sesame`. Nothing trusts these keys.
set -eu
cd "$(dirname "$0")"
PASSWORD='open sesame'
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

openssl req -x509 -newkey rsa:2048 -noenc -days 36500 -subj /CN=authority -keyout "$work/ca.key" -out "$work/ca.crt"
openssl req -newkey rsa:2048 -noenc -subj /CN=runback -keyout "$work/key.pem" -out "$work/request"
openssl x509 -req -in "$work/request" -CA "$work/ca.crt" -CAkey "$work/ca.key" -CAcreateserial -days 36500 -out "$work/cert.pem"
chain="$work/chain"
cat "$work/ca.crt" "$work/cert.pem" > "$chain"

# The leaf is neither first nor alone.
cat "$work/key.pem" "$chain" > pkcs8.pem
{ cat "$work/cert.pem"; openssl rsa -traditional -in "$work/key.pem"; } > pkcs1.pem
{ openssl pkcs8 -topk8 -in "$work/key.pem" -passout "pass:$PASSWORD"; cat "$work/cert.pem"; } > encrypted.pem
{ openssl pkcs8 -topk8 -v2 des3 -in "$work/key.pem" -passout "pass:$PASSWORD"; cat "$work/cert.pem"; } > encrypted-3des.pem
{ openssl pkcs8 -topk8 -v2prf hmacWithSHA1 -in "$work/key.pem" -passout "pass:$PASSWORD"; cat "$work/cert.pem"; } > encrypted-sha1.pem
{ openssl pkcs8 -topk8 -scrypt -in "$work/key.pem" -passout "pass:$PASSWORD"; cat "$work/cert.pem"; } > encrypted-scrypt.pem
{ openssl pkcs8 -topk8 -v1 PBE-MD5-DES -provider legacy -provider default -in "$work/key.pem" -passout "pass:$PASSWORD"; cat "$work/cert.pem"; } > encrypted-md5.pem
{ openssl rsa -traditional -aes256 -in "$work/key.pem" -passout "pass:$PASSWORD"; cat "$work/cert.pem"; } > sealed.pem
cp "$work/key.pem" key.pem
cp "$work/cert.pem" cert.pem
openssl x509 -in "$work/cert.pem" -outform DER -out cert.der
{ cat "$work/ca.key" "$work/cert.pem"; } > mismatch.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 36500 -subj /CN=runback -keyout "$work/ec.key" -out "$work/ec.crt"
cat "$work/ec.key" "$work/ec.crt" > ec.pem
openssl req -x509 -newkey rsa:1024 -noenc -days 36500 -subj /CN=runback -keyout "$work/small.key" -out "$work/small.crt"
cat "$work/small.key" "$work/small.crt" > small.pem

export12() { openssl pkcs12 -export -inkey "$work/key.pem" -in "$work/cert.pem" -certfile "$work/ca.crt" "$@"; }
export12 -passout "pass:$PASSWORD" -out modern.pfx
export12 -passout "pass:$PASSWORD" -legacy -out legacy.pfx
export12 -passout "pass:$PASSWORD" -legacy -certpbe PBE-SHA1-RC2-128 -out rc2-128.pfx
export12 -passout pass: -out open.pfx
export12 -passout "pass:$PASSWORD" -nomac -out no-mac.pfx
openssl pkcs12 -export -nokeys -in "$work/cert.pem" -passout "pass:$PASSWORD" -out no-key.pfx
openssl pkcs12 -export -nocerts -inkey "$work/key.pem" -passout "pass:$PASSWORD" -out no-cert.pfx
