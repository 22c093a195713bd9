if (args is ["capture-loop"]) Footfall.Benchmarks.CaptureLoop.Run();
return 0;
