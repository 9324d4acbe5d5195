// MealCorp's meal planner for AWS: counts the meals of Corporation Corp's staff. The preferences lie encrypted in a
// bucket of Corporation Corp's, and the key in its AWS account; a role there may read the one and use the other, and
// that role may be assumed by who shows a token that says that it is this program.
//
// What it works on stands in its environment, which is a part of the image: see Settings.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"meal-planner/meals"
)

const maxObjectBytes = 1 << 20

// Settings are those of the image; its author's, and so reviewed with it.
type Settings struct {
	Token       TokenRequest
	Role        string // the ARN of the role that has the data
	Key         string // the ARN of the key that encrypts the key of the data
	Data        string // the bucket with preferences.enc and its encrypted key, preferences.key
	Results     string // the bucket that takes order.json
	SessionName string
	Work        time.Duration // how long it takes to count
}

func settings() (Settings, error) {
	token := TokenRequest{Audience: os.Getenv("TOKEN_AUDIENCE"), Type: os.Getenv("TOKEN_TYPE")}
	if token.Type == "AWS_PRINCIPALTAGS" {
		token.TagOptions = &TagOptions{}
		if keys := os.Getenv("TOKEN_SIGNATURE_KEY_IDS"); keys != "" {
			token.TagOptions.AllowedPrincipalTags.SignatureKeys.KeyIDs = strings.Split(keys, ",")
		}
	}
	work, err := time.ParseDuration(cmp.Or(os.Getenv("WORK"), "0s"))
	if err != nil {
		return Settings{}, err
	}
	all := Settings{token, os.Getenv("ROLE"), os.Getenv("KEY"), os.Getenv("DATA_BUCKET"), os.Getenv("RESULTS_BUCKET"), "meal-planner", work}
	for name, value := range map[string]string{"TOKEN_AUDIENCE": token.Audience, "TOKEN_TYPE": token.Type, "ROLE": all.Role,
		"KEY": all.Key, "DATA_BUCKET": all.Data, "RESULTS_BUCKET": all.Results} {
		if value == "" {
			return all, fmt.Errorf("the image has no %s", name)
		}
	}
	return all, nil
}

// awsConfig has credentials that are got, and got anew before they end, with a fresh token each time.
func awsConfig(ctx context.Context, settings Settings) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return cfg, err
	}
	provider := stscreds.NewWebIdentityRoleProvider(sts.NewFromConfig(cfg), settings.Role, settings.Token,
		func(options *stscreds.WebIdentityRoleOptions) { options.RoleSessionName = settings.SessionName })
	cfg.Credentials = aws.NewCredentialsCache(provider)
	return cfg, nil
}

func buckets(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(options *s3.Options) { options.DisableLogOutputChecksumValidationSkipped = true })
}

func read(ctx context.Context, client *s3.Client, bucket, name string) ([]byte, error) {
	object, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &name})
	if err != nil {
		return nil, err
	}
	defer object.Body.Close()
	return io.ReadAll(io.LimitReader(object.Body, maxObjectBytes))
}

// order decrypts the preferences with their own key, which KMS decrypts for who may use the one that encrypted it.
func order(ctx context.Context, cfg aws.Config, settings Settings) (string, error) {
	bucket := buckets(cfg)
	sealed, err := read(ctx, bucket, settings.Data, "preferences.enc")
	if err != nil {
		return "", err
	}
	encryptedKey, err := read(ctx, bucket, settings.Data, "preferences.key")
	if err != nil {
		return "", err
	}
	key, err := kms.NewFromConfig(cfg).Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: encryptedKey, KeyId: &settings.Key})
	if err != nil {
		return "", err
	}
	return meals.Order(key.Plaintext, sealed)
}

func run(ctx context.Context) error {
	settings, err := settings()
	if err != nil {
		return err
	}
	cfg, err := awsConfig(ctx, settings)
	if err != nil {
		return err
	}
	order, err := order(ctx, cfg, settings)
	if err != nil {
		return err
	}
	time.Sleep(settings.Work)
	name := "order.json"
	_, err = buckets(cfg).PutObject(ctx, &s3.PutObjectInput{
		Bucket: &settings.Results, Key: &name, Body: strings.NewReader(order)})
	if err == nil {
		fmt.Println("the order is in the bucket", settings.Results)
	}
	return err
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "meal planner:", err)
		os.Exit(1)
	}
}
