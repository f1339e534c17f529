// PipelineEngine tests
