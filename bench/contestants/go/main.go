// A room on Centrifuge: the token names the channel that a client is subscribed to by the server.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"

	"github.com/centrifugal/centrifuge"
	"github.com/golang-jwt/jwt/v5"
)

type claims struct {
	Room      string `json:"room"`
	Publishes bool   `json:"publishes"`
	jwt.RegisteredClaims
}

func main() {
	runtime.GOMAXPROCS(1)
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(connecting)
	node.OnConnect(connected)
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	handler := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		UseWriteBufferPool:         true,
		ProcessCommandsOffReadLoop: true,
	})
	http.Handle("/connection/websocket", handler)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "{\"event\":\"serve.ready\",\"address\":\"http://%s\"}\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}

func connecting(_ context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	var said claims
	key := func(*jwt.Token) (any, error) { return []byte(os.Getenv("BENCH_SECRET")), nil }
	if _, err := jwt.ParseWithClaims(event.Token, &said, key, jwt.WithValidMethods([]string{"HS256"})); err != nil {
		return centrifuge.ConnectReply{}, errors.Join(centrifuge.DisconnectInvalidToken, err)
	}
	reply := centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: said.Subject}}
	if said.Room != "" {
		reply.Subscriptions = map[string]centrifuge.SubscribeOptions{said.Room: {}}
	}
	if said.Publishes {
		reply.Storage = map[string]any{"publishes": true}
	}
	return reply, nil
}

func connected(client *centrifuge.Client) {
	storage, release := client.AcquireStorage()
	publishes := storage["publishes"] == true
	release(storage)
	if !publishes {
		return
	}
	client.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) {
		done(centrifuge.PublishReply{}, nil)
	})
}
