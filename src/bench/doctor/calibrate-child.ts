import { startCalibrationServer } from './calibrate-server.ts';

// The calibration server in a process of its own: started with the rate, says its port, ends with its parent.
const server = await startCalibrationServer(Number(process.argv[2]));
process.on('disconnect', () => server.close());
// Ctrl-C reaches the whole group: the parent decides when there is enough.
process.on('SIGINT', () => {});
process.send?.({ port: server.port });
