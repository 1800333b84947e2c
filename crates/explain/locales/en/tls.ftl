# TLS in the story of a message.

step-secured = encrypted with { $protocol } ({ $cipher }); { $trust }
step-went-insecure = not encrypted as wanted with { $host }: { $text }
trust-would-do = the server's certificate is in order, though nothing demanded that
trust-unchecked = who the server is was not demanded, and would not have been shown: { $text }
trust-authority = an authority vouches for { $text }
trust-dane = the certificate is the one that the domain publishes in the DNS ({ $text })
trust-fingerprint = the certificate is the configured one (SHA-256 { $text })
