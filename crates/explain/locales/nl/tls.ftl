# TLS in het verhaal van een bericht.

step-secured = versleuteld met { $protocol } ({ $cipher }); { $trust }
step-went-insecure = niet versleuteld zoals gewenst met { $host }: { $text }
trust-would-do = het certificaat van de server is in orde, al was dat niet geëist
trust-unchecked = wie de server is hoefde niet vast te staan, en had ook niet vastgestaan: { $text }
trust-authority = een certificaatautoriteit staat in voor { $text }
trust-dane = het certificaat is wat het domein in de DNS publiceert ({ $text })
trust-fingerprint = het certificaat is het ingestelde (SHA-256 { $text })
