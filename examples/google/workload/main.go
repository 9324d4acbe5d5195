// MealCorp's meal planner for Google Cloud: counts the meals of Corporation Corp's staff. The preferences lie encrypted
// in a bucket of Corporation Corp's, and the key in its Cloud KMS; whoever shows a token that says that it is this
// program may read the one and use the other.
//
// How it becomes somebody at Google Cloud stands in the file that GOOGLE_APPLICATION_CREDENTIALS names, which only
// Google's library reads; what it works on stands in its environment. Both are a part of the image.
package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"google.golang.org/api/cloudkms/v1"
	"google.golang.org/api/storage/v1"

	"meal-planner/meals"
)

const maxObjectBytes = 1 << 20

// Settings are those of the image; its author's, and so reviewed with it.
type Settings struct {
	Key     string        // projects/P/locations/L/keyRings/R/cryptoKeys/K, which encrypts the key of the data
	Data    string        // the bucket with preferences.enc and its encrypted key, preferences.key
	Results []string      // the buckets that take order.json: one of each company
	Work    time.Duration // how long it takes to count
}

func settings() (Settings, error) {
	for _, name := range []string{"KEY", "DATA_BUCKET", "RESULTS_BUCKETS"} {
		if os.Getenv(name) == "" {
			return Settings{}, fmt.Errorf("the image has no %s", name)
		}
	}
	results := strings.Split(os.Getenv("RESULTS_BUCKETS"), ",")
	work, err := time.ParseDuration(cmp.Or(os.Getenv("WORK"), "0s"))
	return Settings{os.Getenv("KEY"), os.Getenv("DATA_BUCKET"), results, work}, err
}

func read(ctx context.Context, service *storage.Service, bucket, name string) ([]byte, error) {
	answer, err := service.Objects.Get(bucket, name).Context(ctx).Download()
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(io.LimitReader(answer.Body, maxObjectBytes))
}

// order decrypts the preferences with their own key, which KMS decrypts for who may use the one that encrypted it.
func order(ctx context.Context, buckets *storage.Service, settings Settings) (string, error) {
	sealed, err := read(ctx, buckets, settings.Data, "preferences.enc")
	if err != nil {
		return "", err
	}
	encryptedKey, err := read(ctx, buckets, settings.Data, "preferences.key")
	if err != nil {
		return "", err
	}
	keys, err := cloudkms.NewService(ctx)
	if err != nil {
		return "", err
	}
	request := cloudkms.DecryptRequest{Ciphertext: base64.StdEncoding.EncodeToString(encryptedKey)}
	decrypted, err := keys.Projects.Locations.KeyRings.CryptoKeys.Decrypt(settings.Key, &request).Context(ctx).Do()
	if err != nil {
		return "", err
	}
	key, err := base64.StdEncoding.DecodeString(decrypted.Plaintext)
	if err != nil {
		return "", err
	}
	return meals.Order(key, sealed)
}

func run(ctx context.Context) error {
	settings, err := settings()
	if err != nil {
		return err
	}
	buckets, err := storage.NewService(ctx)
	if err != nil {
		return err
	}
	order, err := order(ctx, buckets, settings)
	if err != nil {
		return err
	}
	time.Sleep(settings.Work)
	for _, bucket := range settings.Results {
		object := storage.Object{Name: "order.json"}
		if _, err := buckets.Objects.Insert(bucket, &object).Media(strings.NewReader(order)).Context(ctx).Do(); err != nil {
			return err
		}
		fmt.Println("the order is in the bucket", bucket)
	}
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "meal planner:", err)
		os.Exit(1)
	}
}
