package xcat

// Level says what kind of message a Message is.
type Level uint8

// The levels of a message.
const (
	Data    Level = iota // imgexport's progress lines, to standard output
	Error                // imgexport's error lines, byte for byte, and refusals of ours; exit code 1
	Warning              // what imgexport says nothing about; does not change the exit code
)

// Message is one line that an export has to say. Text may hold any byte that
// a table or a file name can.
type Message struct {
	Level Level
	Text  string
}

// String returns the message as people see it: "Error: text", "Warning:
// text", or the text alone.
func (m Message) String() string {
	switch m.Level {
	case Error:
		return "Error: " + m.Text
	case Warning:
		return "Warning: " + m.Text
	}
	return m.Text
}
