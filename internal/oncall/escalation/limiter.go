package escalation

import (
	"sync"
	"time"
)

// What one address gets at most, of one level: a burst, then one message in a while that sums up the rest.
const (
	burst = 10
	every = 30 * time.Second
	// heldFor is how long a message waits for one that may take it along.
	heldFor = 2 * time.Second
)

// limiter bounds what an address gets. After a restart it counts anew. The zero value is ready.
type limiter struct {
	mu    sync.Mutex
	boxes map[string]*box
}

// box is what is to go to one address.
type box struct {
	left    float64
	filled  time.Time
	waiting map[string]waiting // by what is to be told
	told    map[string]string  // by what was told in a summary: in which page's
}

type waiting struct {
	title string
	with  string // the page whose message takes it along, "" for none yet
}

// answer is what a limiter says to a message.
type answer struct {
	told  string            // it was told in the summary of this page
	until time.Time         // it waits till then
	along map[string]string // it goes out, with these others: titles by what they tell
}

func (l *limiter) box(address string, now time.Time) *box {
	if l.boxes == nil {
		l.boxes = map[string]*box{}
	}
	b := l.boxes[address]
	if b == nil {
		b = &box{left: burst, filled: now, waiting: map[string]waiting{}, told: map[string]string{}}
		l.boxes[address] = b
	}
	if since := now.Sub(b.filled); since > 0 {
		b.left = min(burst, b.left+float64(since)/float64(every))
	}
	b.filled = now
	return b
}

// ask says whether a message may go out. What it takes along is free again with gone or back.
func (l *limiter) ask(address, key, title string, now time.Time) answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.box(address, now)
	if page, ok := b.told[key]; ok {
		delete(b.told, key)
		return answer{told: page}
	}
	if w, ok := b.waiting[key]; ok && w.with != "" {
		return answer{until: now.Add(heldFor)}
	}
	if b.left < 1 {
		b.waiting[key] = waiting{title: title}
		return answer{until: now.Add(time.Duration((1-b.left)*float64(every)) + time.Millisecond)}
	}
	b.left--
	delete(b.waiting, key)
	out := answer{along: map[string]string{}}
	for k, w := range b.waiting {
		if w.with == "" {
			out.along[k] = w.title
			b.waiting[k] = waiting{title: w.title, with: key}
		}
	}
	return out
}

// settle says what became of a message that took others along.
func (l *limiter) settle(address string, along map[string]string, page string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.boxes[address]
	if b == nil {
		return
	}
	for k, title := range along {
		if _, still := b.waiting[k]; !still {
			continue // it was given up meanwhile
		}
		if ok {
			delete(b.waiting, k)
			b.told[k] = page
		} else {
			b.waiting[k] = waiting{title: title}
		}
	}
}

// forget drops what is not to be told any more.
func (l *limiter) forget(address, key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.boxes[address]; b != nil {
		delete(b.waiting, key)
		delete(b.told, key)
	}
}

// sweep drops the boxes of addresses that have got nothing for a while.
func (l *limiter) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for address, b := range l.boxes {
		if len(b.waiting) == 0 && now.Sub(b.filled) > burst*every {
			delete(l.boxes, address)
		}
	}
}
