package model

// Problem is something wrong with the program itself that a person should
// know of: what /sb/v1/status and the pages' banner show. It lasts as long as its cause.
type Problem struct {
	Severity string `json:"severity" enum:"critical,warning,info"`
	Message  string `json:"message" doc:"what is wrong, naming the file or part"`
	Cure     string `json:"cure" doc:"what to do about it"`
}
