// Command example is one viewer's evening by the Go client:
//
//	go run ./serve/client/example [URL [KEY]]
//
// It runs as a test.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"upnext/serve/client"
)

func main() {
	url, key := "http://127.0.0.1:8080", ""
	if len(os.Args) > 1 {
		url = os.Args[1]
	}
	if len(os.Args) > 2 {
		key = os.Args[2]
	}
	if err := evening(context.Background(), url, key); err != nil {
		log.Fatal(err)
	}
}

func evening(ctx context.Context, url, key string) error {
	upnext, err := client.NewClientWithResponses(url, client.WithKey(key))
	if err != nil {
		return err
	}
	// An item is searchable once it is in.
	item := client.Item{Id: "go-1", Kind: "video", Title: "A space film from Go", Tags: []string{"space"}}
	put, err := upnext.PutItemsIdWithResponse(ctx, item.Id, nil, item)
	if err != nil || put.JSON200 == nil {
		return fmt.Errorf("put: %s: %w", put.Body, err)
	}

	// A page, with titles to show and reasons to show under them.
	user, count := "go", int64(3)
	page, err := upnext.PostRecommendWithResponse(ctx, nil, client.RecommendBody{UserId: &user, Count: &count, Include: []string{"title"}})
	if err != nil || page.JSON200 == nil {
		return fmt.Errorf("recommend: %s: %w", page.Body, err)
	}
	for _, it := range page.JSON200.Items {
		fmt.Println(it.Id, it.Properties["title"], "·", it.Reasons[0].Text)
	}

	// What the viewer does changes the next answer: send the item's token with it.
	first := page.JSON200.Items[0]
	event, err := json.Marshal(client.Event{
		Id: fmt.Sprintf("go-%d", time.Now().UnixNano()), Kind: "like", At: time.Now(), UserId: &user, ItemId: &first.Id, Token: first.Token,
	})
	if err != nil {
		return err
	}
	sent, err := upnext.PostEventsWithBodyWithResponse(ctx, nil, "application/json", bytes.NewReader(event))
	if err != nil || sent.JSON202 == nil {
		return fmt.Errorf("events: %s: %w", sent.Body, err)
	}

	// Reading on never repeats an item.
	more, err := upnext.PostRecommendNextWithResponse(ctx, nil, client.NextBody{Cursor: *page.JSON200.NextCursor})
	if err != nil || more.JSON200 == nil {
		return fmt.Errorf("next: %s: %w", more.Body, err)
	}

	// What is wrong is said, and where.
	filter := "title =="
	wrong, err := upnext.PostRecommendWithResponse(ctx, nil, client.RecommendBody{UserId: &user, Filter: &filter})
	if err != nil || wrong.ApplicationproblemJSONDefault == nil {
		return fmt.Errorf("a wrong filter: %s: %w", wrong.Body, err)
	}
	fmt.Println(wrong.StatusCode(), wrong.ApplicationproblemJSONDefault.Errors[0].Pointer)

	if _, err := upnext.DeleteItemsId(ctx, item.Id, nil); err != nil {
		return err
	}
	if _, err := upnext.DeleteUsersId(ctx, user, nil); err != nil {
		return err
	}
	fmt.Println("done")
	return nil
}
