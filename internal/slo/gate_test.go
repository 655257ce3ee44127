package slo_test

func (s *scenario) expectVerdict(f []string) {}
