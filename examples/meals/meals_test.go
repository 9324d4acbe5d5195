package meals

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"testing"
)

func seal(t *testing.T, key []byte, text string) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	nonce := make([]byte, gcm.NonceSize())
	return gcm.Seal(nonce, nonce, []byte(text), nil)
}

func TestOrder(t *testing.T) {
	key := bytes.Repeat([]byte{1}, 32)
	order, err := Order(key, seal(t, key, "Ada,lasagne\nBela,soup\n\nnobody\nChiara,lasagne\n"))
	if err != nil || order != `{"lasagne":2,"soup":1}` {
		t.Errorf("%s, %v", order, err)
	}
	for name, test := range map[string]struct{ key, sealed []byte }{
		"another key":   {bytes.Repeat([]byte{2}, 32), seal(t, key, "a,b")},
		"short":         {key, []byte("short")},
		"no key at all": {nil, seal(t, key, "a,b")},
	} {
		if order, err := Order(test.key, test.sealed); err == nil {
			t.Errorf("%s: %s", name, order)
		}
	}
}
