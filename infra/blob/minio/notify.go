package minio

import (
	"context"
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7/pkg/notification"

	"upnext"
)

// told are the events that say what has become of objects.
var told = []notification.EventType{notification.ObjectCreatedAll, notification.ObjectRemovedAll}

// Announce asks the server to tell the target with the ARN (the webhook's,
// "arn:minio:sqs::NAME:webhook") of every object that is put or removed below a
// prefix of the store. Rules of others stay; one that says so already is not
// repeated. The target itself is a setting of the server.
func (s *Store) Announce(ctx context.Context, arn, prefix string) error {
	prefix = s.prefix + prefix
	target, err := notification.NewArnFromString(arn)
	if err != nil {
		return fmt.Errorf("announce s3://%s/%s: %q: not an ARN like arn:minio:sqs::NAME:webhook: %w", s.address.Bucket, prefix, arn, upnext.ErrInvalid)
	}
	rules, err := s.client.GetBucketNotification(ctx, s.address.Bucket)
	if err != nil {
		return fmt.Errorf("announce s3://%s/%s: %w", s.address.Bucket, prefix, failure(ctx, err))
	}
	for _, rule := range rules.QueueConfigs {
		if rule.Queue == arn && covers(rule, prefix) {
			return nil
		}
	}
	rule := notification.NewConfig(target)
	rule.AddEvents(told...)
	if prefix != "" {
		rule.AddFilterPrefix(prefix)
	}
	rules.AddQueue(rule)
	if err := s.client.SetBucketNotification(ctx, s.address.Bucket, rules); err != nil {
		return fmt.Errorf("announce s3://%s/%s to %s: %w", s.address.Bucket, prefix, arn, failure(ctx, err))
	}
	s.logger.Info("bucket notifications set", "bucket", s.address.Bucket, "prefix", prefix, "arn", arn)
	return nil
}

// covers says whether a rule tells of all that we want to know below a prefix.
func covers(rule notification.QueueConfig, prefix string) bool {
	all := map[notification.EventType]bool{}
	for _, e := range rule.Events {
		all[e] = true
	}
	for _, e := range told {
		if !all[e] {
			return false
		}
	}
	if rule.Filter == nil {
		return true
	}
	for _, f := range rule.Filter.S3Key.FilterRules {
		if f.Value != "" && (f.Name != "prefix" || !strings.HasPrefix(prefix, f.Value)) {
			return false
		}
	}
	return true
}

// Announce asks for news of what lies below a prefix of a bucket, see
// Store.Announce.
func (s *Sources) Announce(ctx context.Context, t upnext.Tenant, bucket, prefix, arn string) error {
	store, err := s.Open(ctx, t, bucket, strings.TrimSuffix(prefix, "/"))
	if err != nil {
		return err
	}
	return store.Announce(ctx, arn, prefix)
}
