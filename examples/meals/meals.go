// Package meals is what every meal planner does: it decrypts preferences, counts, and forgets who wants what.
package meals

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"strings"
)

// Order decrypts preferences, one "person,dish" a line, and returns as JSON how many want which dish. They are
// encrypted with AES-GCM: a nonce of 12 bytes, then what it seals.
func Order(key, sealed []byte) (string, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	if len(sealed) < gcm.NonceSize() {
		return "", errors.New("the preferences are too short")
	}
	text, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
	if err != nil {
		return "", err
	}
	dishes := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if _, dish, ok := strings.Cut(line, ","); ok {
			dishes[dish]++
		}
	}
	order, err := json.Marshal(dishes)
	return string(order), err
}
