import { startCalibrationServer } from './calibrate-server.ts';

// The calibration server as a separate process: takes the rate as an argument, sends its port, ends with its parent.
const server = await startCalibrationServer(Number(process.argv[2]));
process.on('disconnect', () => server.close());
// Ctrl-C reaches the whole process group: the parent decides when to stop.
process.on('SIGINT', () => {});
process.send?.({ port: server.port });
