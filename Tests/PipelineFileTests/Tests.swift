// PipelineFile tests
